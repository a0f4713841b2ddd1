import { grad, gradcheck, gradgradcheck, variable } from "@descent/autograd";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, needs, under } from "backend-under-test";
import { isRawTensor, loadFixtures, type OpCase, type RawTensor } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { expectLike, fromFixture } from "../testing/fixture.ts";
import { message } from "../testing/message.ts";
import { crossEntropy, nllLoss } from "./cross-entropy.ts";
import { binaryCrossEntropy, binaryCrossEntropyWithLogits, klDiv } from "./probability.ts";
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "./regression.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

interface LossCase extends OpCase {
  readonly tensorOptions?: readonly string[];
}

type Loss = (input: Tensor, target: Tensor, options?: object) => Tensor;

const losses: Readonly<Record<string, Loss>> = {
  crossEntropy,
  nllLoss,
  mseLoss,
  l1Loss,
  smoothL1: smoothL1Loss,
  huber: huberLoss,
  bce: binaryCrossEntropy,
  bceWithLogits: binaryCrossEntropyWithLogits,
  klDiv,
};

/**
 * Errors in PyTorch that cannot be told without reading the input; the loss is NaN instead: a probability outside [0, 1], and, where
 * reading means waiting, a class that is not there.
 */
const givesNaN = (c: LossCase) => {
  const fits = (c.inputs[0] as RawTensor).shape[0] === (c.inputs[1] as RawTensor).shape[0];
  return c.error && (c.op === "bce" || (!under.sync && fits));
};

/** The gradient of a target that is exactly 0: NaN in PyTorch, here that of the term that is linear in it. */
const hasHole = (c: LossCase) => c.op === "klDiv" && (c.grads?.[1] as RawTensor | null)?.data.includes("nan");

function run(c: LossCase): { output: Tensor; inputs: (Tensor | null)[] } {
  const loss = losses[c.op] as Loss;
  const named = c.tensorOptions ?? [];
  const given = c.inputs.map((input) => fromFixture(input as RawTensor));
  const inputs = given.map((t, i) => (isRawTensor(c.grads?.[i]) ? variable(t) : t));
  const positional = inputs.slice(0, inputs.length - named.length) as [Tensor, Tensor];
  const options = Object.fromEntries(named.map((name, i) => [name, inputs[positional.length + i]]));
  return { output: loss(...positional, { ...c.options, ...options }), inputs };
}

describe("as PyTorch", () => {
  const cases = loadFixtures<LossCase>("nn-losses").filter(({ op }) => op in losses);
  test.each(cases.map((c, i) => [`${i} ${c.op} ${JSON.stringify(c.options)}`, c] as const))("%s", async (label, c) => {
    if (givesNaN(c)) return expect((await run(c).output.data()).some(Number.isNaN)).toBe(true);
    if (c.error) return expect(() => run(c)).toThrow();
    const { output, inputs } = run(c);
    await expectLike(output, c.outputs?.[0] as RawTensor, label, 4);
    if (!c.grads?.some((g) => g !== null)) return;
    output.backward(fromFixture(c.gradOutputs?.[0] as RawTensor));
    for (const [i, expected] of c.grads.entries()) {
      if (expected !== null && !(i === 1 && hasHole(c)))
        await expectLike(inputs[i]?.grad as Tensor, expected as RawTensor, `${label}, gradient ${i}`, 4);
    }
  });
});

const numbers = (data: number[] | number[][]) => tensor(data, { dtype: under.float64 ? "float64" : "float32" });
const scores = () =>
  numbers([
    [0.3, -1.2, 2],
    [0.1, 0.4, -0.7],
  ]);
const shares = () =>
  numbers([
    [0.2, 0.5, 0.3],
    [0.6, 0.3, 0.1],
  ]);
const classes = () => tensor([2, 0], { dtype: "int64" });
const weight = () => numbers([0.5, 2, 1]);

describe("derivatives by differences", needs("float64"), () => {
  const table: Record<string, [(x: Tensor, y: Tensor) => Tensor, () => Tensor[]]> = {
    crossEntropy: [(x) => crossEntropy(x, classes()), () => [scores()]],
    "crossEntropy, all options": [
      (x) => crossEntropy(x, classes(), { weight: weight(), labelSmoothing: 0.2, reduction: "none" }),
      () => [scores()],
    ],
    "crossEntropy of probabilities": [(x) => crossEntropy(x, shares(), { weight: weight() }), () => [scores()]],
    "crossEntropy, both": [(x, y) => crossEntropy(x, y, { labelSmoothing: 0.1 }), () => [scores(), shares()]],
    nllLoss: [(x) => nllLoss(x, classes(), { reduction: "sum" }), () => [scores()]],
    mseLoss: [(x, y) => mseLoss(x, y), () => [scores(), shares()]],
    smoothL1Loss: [(x, y) => smoothL1Loss(x, y, { beta: 0.7 }), () => [scores(), shares()]],
    huberLoss: [(x, y) => huberLoss(x, y, { delta: 0.7, reduction: "none" }), () => [scores(), shares()]],
    binaryCrossEntropy: [
      (x, y) => binaryCrossEntropy(x, y),
      () => [
        shares(),
        numbers([
          [0.3, 0.9, 0.5],
          [0.2, 0.1, 0.7],
        ]),
      ],
    ],
    binaryCrossEntropyWithLogits: [
      (x, y) => binaryCrossEntropyWithLogits(x, y, { posWeight: weight() }),
      () => [scores(), shares()],
    ],
    klDiv: [(x, y) => klDiv(x, y, { reduction: "batchmean" }), () => [scores(), shares()]],
    "klDiv, logTarget": [(x, y) => klDiv(x, y, { logTarget: true }), () => [scores(), scores().mul(0.5)]],
  };
  test.each(Object.entries(table))("%s", async (_name, [f, inputs]) => {
    await gradcheck(f, inputs());
    await gradgradcheck(f, inputs());
  });
  test("l1Loss, whose second derivative is 0", async () => {
    await gradcheck((x, y) => l1Loss(x, y), [scores(), shares()]);
  });
});

test("the gradient of a mean is independent of what ignored samples hold", async () => {
  const x = variable(
    numbers([
      [1, 2],
      [Number.NaN, 5],
    ]),
  );
  const y = tensor([1, -100], { dtype: "int64" });
  const [g] = grad(crossEntropy(x, y), x) as [Tensor];
  expect((await g.data()).slice(0, 2).every(Number.isFinite)).toBe(true);
});

test("says what is wrong", () => {
  if (under.sync) {
    expect(message(() => crossEntropy(scores(), tensor([2, 3], { dtype: "int64" })))).toMatchInlineSnapshot(`
      "crossEntropy: an index is out of range
        index       3
        at position 1
      Indices run from 0 to 2."
    `);
  }
  expect(message(() => crossEntropy(scores(), tensor([2, 1])))).toMatchInlineSnapshot(`
    "crossEntropy: class indices have an integer dtype
      target float32
      shape  [2]
    Convert them with y.to("int64")."
  `);
  expect(message(() => crossEntropy(scores(), tensor([2], { dtype: "int64" })))).toMatchInlineSnapshot(`
    "crossEntropy: input and target do not fit
      input    [2, 3]
      target   [1]
      expected [2]
    Class indices have the shape of the input without its class axis, the second one."
  `);
  expect(message(() => crossEntropy(scores(), classes(), { weight: numbers([1, 2]) }))).toMatchInlineSnapshot(`
    "crossEntropy: weight does not have one element per class
      weight  [2]
      classes 3"
  `);
  expect(message(() => crossEntropy(scores(), classes(), { labelSmoothing: 2 }))).toMatchInlineSnapshot(`
    "crossEntropy: labelSmoothing is not between 0 and 1
      labelSmoothing 2"
  `);
  expect(message(() => crossEntropy(scores(), classes(), { ignore_index: 2 } as object))).toMatchInlineSnapshot(`
    "crossEntropy: unknown option
      option ignore_index
    Did you mean "ignoreIndex"?"
  `);
  expect(message(() => mseLoss(scores(), shares(), { reduction: "men" as "mean" }))).toMatchInlineSnapshot(`
    "mseLoss: unknown reduction
      reduction men
    Did you mean "mean"? There are none, mean, sum."
  `);
  expect(message(() => mseLoss(classes(), classes()))).toMatchInlineSnapshot(`
    "mseLoss: the input is not floating point
      input int64
    Convert it with input.to("float32")."
  `);
  expect(message(() => mseLoss(scores(), numbers([1, 2])))).toMatchInlineSnapshot(`
    "mseLoss: shapes do not broadcast
      operand 1 [2, 3]
      operand 2 [2]
    Axis 1 has extents 3 and 2; they must be equal, or one of them 1."
  `);
  expect(message(() => binaryCrossEntropy(scores(), weight()))).toMatchInlineSnapshot(`
    "binaryCrossEntropy: input and target have different shapes
      input  [2, 3]
      target [3]
    Reshape or expand the target: this loss does not broadcast it."
  `);
  expect(message(() => smoothL1Loss(scores(), shares(), { beta: -1 }))).toMatchInlineSnapshot(`
    "smoothL1Loss: beta is negative
      beta -1
    Default: 1."
  `);
  expect(message(() => huberLoss(scores(), shares(), { delta: 0 }))).toMatchInlineSnapshot(`
    "huberLoss: delta is not positive
      delta 0
    Default: 1."
  `);
});
