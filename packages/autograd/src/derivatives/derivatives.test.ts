import * as ops from "@descent/tensor";
import { memory, type Tensor, use } from "@descent/tensor";
import { backendUnderTest, leavesNothing, needs, under } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { gradcheck, gradgradcheck, variable } from "../index.ts";
import { elementwiseCases } from "./elementwise-cases.ts";
import { exempt } from "./exempt.ts";
import { linearCases } from "./linear-cases.ts";
import { structureCases } from "./structure-cases.ts";
import type { Case } from "./values.ts";

await use(await backendUnderTest());
// Differences need float64, and so do the inputs that are made for them: without it there are no cases.
const families: Readonly<Record<string, readonly Case[]>> = under.float64
  ? { elementwise: elementwiseCases(), linear: linearCases(), structure: structureCases() }
  : {};
const all = Object.values(families).flat();
leavesNothing(memory, () => bytesOf(all));

/** What the inputs at the top of this file take. */
const bytesOf = (cases: readonly Case[]): number => {
  const blocks = new Set(cases.flatMap(([, , inputs]) => inputs.flatMap(({ blocks }) => blocks)));
  return [...blocks].reduce((sum, { bytes }) => sum + bytes, 0);
};

/** The operation a case is about. */
const operation = ([name]: Case): string => (name.split(/[ ,]/, 1)[0] as string).trim();

describe.each(Object.entries(families))("first and second derivatives agree with differences: %s", (_, cases) => {
  test.each(cases)("%s", async (_, fn, inputs) => {
    const outputs = fn(...inputs.map((x) => (x.dtype === "float64" ? variable(x.copy()) : x)));
    const listed = outputs instanceof ops.Tensor ? [outputs] : (outputs as readonly Tensor[]);
    expect(listed.some(({ requiresGrad }) => requiresGrad)).toBe(true); // else there is nothing to check
    await gradcheck(fn, inputs);
    await gradgradcheck(fn, inputs);
  });
});

describe("every exported function", needs("float64"), () => {
  const functions = Object.entries(ops)
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name);
  const excused = Object.values(exempt).flat();

  test("is checked, or exempt for a reason", () => {
    const checked = new Set(all.map(operation));
    expect(functions.filter((name) => !checked.has(name) && !excused.includes(name))).toEqual([]);
    expect(excused.filter((name) => checked.has(name))).toEqual([]);
  });

  test("that is exempt or checked exists", () => {
    const known = new Set(functions);
    expect([...all.map(operation), ...excused].filter((name) => !known.has(name))).toEqual([]);
  });
});
