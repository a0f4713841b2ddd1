import { isDescentError, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import { grad, variable } from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const given = (value: unknown): never => value as never; // as JavaScript would pass it
const x = () => variable([1, 2]);
const list = "grad(outputs, inputs) takes a tensor or a list of them for each.";

const wrong: readonly (readonly [string, () => unknown, string])[] = [
  ["an output that is none", () => grad(given(3), x()), `grad: an output is no tensor\n${list}`],
  ["an input that is none", () => grad(x().sum(), given([3])), `grad: an input is no tensor\n${list}`],
  [
    "a gradient that is none",
    () => x().backward(given([1, 1])),
    "backward: the gradient is no tensor\n  got an array\nMake one with tensor(…).",
  ],
  [
    "a misspelt option",
    () => variable([1], given({ dtyp: "float64" })),
    'variable: unknown option\n  option dtyp\nDid you mean "dtype"?',
  ],
  [
    "integers",
    () => variable(tensor([1], { dtype: "int64" })),
    'variable: only floating point tensors have gradients\n  dtype int64\nPass { dtype: "float32" }.',
  ],
];
test.each(wrong)("refuses %s", (_, f, expected) => {
  let found: unknown;
  try {
    f();
  } catch (error) {
    found = error;
  }
  expect(isDescentError(found) ? found.message : found).toBe(expected);
});
