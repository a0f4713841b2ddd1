import * as ops from "@descent/tensor";
import { type Tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decodeNumber, loadFixtures, type OpCase, type RawNumber } from "torch-fixtures";
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

describe.each(families)("%s", (name) => {
  const cases = loadFixtures(name).filter((c) => !(title(c).trim() in different));
  test.each(cases.map((c, i) => [`${i} ${title(c)}`, c] as const))("%s", (_, c) =>
    runCase(c, call, { signOfZero: !eitherZero.has(c.op) }),
  );
});

test("every recorded operation is there", () => {
  const recorded = new Set(families.flatMap((name) => loadFixtures(name).map(({ op }) => op)));
  expect([...recorded].filter((op) => !(op in ops))).toEqual([]);
});
