import * as ops from "@descent/tensor";
import { type Tensor, use } from "@descent/tensor";
import { backendUnderTest, needs, sampled, under } from "backend-under-test";
import { decodeNumber, isRawTensor, loadFixtures, type OpCase, type RawNumber } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { runCase, title } from "./testing/fixture-case.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const numeric = (value: unknown): unknown => {
  const word = ["nan", "inf", "-inf", "-0"].includes(value as string);
  return word ? decodeNumber(value as RawNumber) : value;
};

function call({ op, options = {} }: OpCase, inputs: unknown[]): readonly Tensor[] {
  const given = Object.entries(options).map(([name, value]) => [name, numeric(value)] as const);
  const f = (ops as unknown as Record<string, (...x: unknown[]) => Tensor>)[op] as (...x: unknown[]) => Tensor;
  const positional = op === "threshold" ? given.map(([, value]) => value) : [];
  const trailing = given.length > positional.length ? [Object.fromEntries(given)] : [];
  return [f(...inputs.map(numeric), ...positional, ...trailing)];
}

const families = [
  "elementwise-unary",
  "elementwise-specials",
  "elementwise-dtypes",
  "elementwise-options",
  "elementwise-binary",
  "elementwise-binary-specials",
  "elementwise-mixed",
  "elementwise-ternary",
];

/** Recorded results that are not ours, with the reason. */
const different: Readonly<Record<string, string>> = {
  "hardsigmoid float64[4,6]": "PyTorch's gradient divides by a 6 rounded to float32",
  'hardsigmoid float64[2,3]{"permute":[1,0]}': "as above",
  "hardsigmoid float64[40]": "as above",
  "sinh float64[40]": "overflows early in PyTorch: sinh(710) is a number",
  "cosh float64[40]": "as above",
  "remainder int64[6] int64[6]":
    "an integer divided by zero: a backend whose results arrive later cannot throw; we give 0",
  "fmod int64[6] int64[6]": "as above",
  "floorDivide int64[6] int64[6]": "as above",
};

/** Where 0 and −0 are one: PyTorch's vectorised and scalar forms differ among themselves, or the definition does not tell them apart. */
const eitherZero = new Set(["relu", "relu6", "gelu", "softshrink", "maximum", "minimum"]);

/** A case without its elements from or to numbers that the backend may take for 0, where all is one vector. */
function withoutSubnormals(c: OpCase): OpCase {
  const tensors = [...c.inputs, ...(c.outputs ?? []), ...(c.grads ?? []), ...(c.gradOutputs ?? [])].filter(isRawTensor);
  const [first] = tensors;
  if (first?.shape.length !== 1 || tensors.some(({ shape }) => shape.join() !== first.shape.join())) return c;
  const isTiny = (x: RawNumber) => typeof x === "number" && x !== 0 && Math.abs(x) < 2 ** -126;
  const kept = first.data.map((_, i) => !tensors.some(({ dtype, data }) => dtype === "float32" && isTiny(data[i]!)));
  const size = kept.filter(Boolean).length;
  const without = <T>(raw: T): T =>
    isRawTensor(raw) ? { ...raw, shape: [size], data: raw.data.filter((_, i) => kept[i]) } : raw;
  const each = <T>(list: readonly T[] | undefined) => list?.map(without) as T[];
  return {
    ...c,
    inputs: each(c.inputs),
    ...(c.outputs && { outputs: each(c.outputs) }),
    ...(c.grads && { grads: each(c.grads), gradOutputs: each(c.gradOutputs) }),
  };
}

describe.each(families)("%s", (name) => {
  const cases = loadFixtures(name)
    .filter((c) => !(title(c).trim() in different))
    .map((c) => (under.subnormals ? c : withoutSubnormals(c)))
    .map((c, i) => [`${i} ${title(c)}`, c] as const);
  const run = (_: string, c: OpCase) => runCase(c, call, { signOfZero: !eitherZero.has(c.op) });
  const [some, rest] = sampled(cases, name.includes("specials") ? 1 : 1 / 3);
  test.each(some)("%s", run);
  test.each(rest)("%s", needs("speed"), run);
});

test("every recorded operation is there", () => {
  const recorded = new Set(families.flatMap((name) => loadFixtures(name).map(({ op }) => op)));
  expect([...recorded].filter((op) => !(op in ops))).toEqual([]);
});
