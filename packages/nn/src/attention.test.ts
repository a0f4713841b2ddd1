import { variable } from "@descent/autograd";
import { type Tensor, use, zeros } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { isRawTensor, loadFixtures, type OpCase, type RawTensor } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { scaledDotProductAttention } from "./index.ts";
import { expectLike, fromFixture } from "./testing/fixture.ts";
import { message } from "./testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const cases = loadFixtures<OpCase>("nn-attention");

describe("as PyTorch", () => {
  test.each(cases.map((c, i) => [`${i} ${JSON.stringify(c.options)}`, c] as const))("%s", async (label, c) => {
    const given = c.inputs.map((input) => fromFixture(input as RawTensor));
    const inputs = given.map((t, i) => (isRawTensor(c.grads?.[i]) ? variable(t) : t));
    const [query, key, value, attnMask = null] = inputs as [Tensor, Tensor, Tensor, Tensor?];
    const output = scaledDotProductAttention(query, key, value, { ...c.options, attnMask });
    // A sum of products, an exponential, a sum and a sum of products: each rounds, here and there in another order.
    await expectLike(output, c.outputs?.[0] as RawTensor, label, 16);
    if (!c.grads?.some((g) => g !== null)) return;
    output.backward(fromFixture(c.gradOutputs?.[0] as RawTensor));
    for (const [i, expected] of c.grads.entries())
      if (expected !== null) await expectLike(inputs[i]?.grad as Tensor, expected as RawTensor, `${label} ${i}`, 32);
  });
});

test("says what is wrong", () => {
  const [q, k] = [zeros([2, 3, 4]), zeros([2, 5, 3])];
  expect(message(() => scaledDotProductAttention(q, k, k))).toMatchInlineSnapshot(`
    "scaledDotProductAttention: the shapes do not go together
      query [2, 3, 4]
      key   [2, 5, 3]
      value [2, 5, 3]
    query is […, queries, features], key […, keys, features], value […, keys, width]."
  `);
  expect(message(() => scaledDotProductAttention(q, q, q, { isCausal: true, attnMask: q }))).toMatchInlineSnapshot(`
    "scaledDotProductAttention: isCausal is a mask of its own
    Hide later keys in attnMask."
  `);
  expect(message(() => scaledDotProductAttention(q, q, q, { causal: true } as object))).toMatchInlineSnapshot(`
    "scaledDotProductAttention: unknown option
      option causal
    Did you mean "isCausal"?"
  `);
});
