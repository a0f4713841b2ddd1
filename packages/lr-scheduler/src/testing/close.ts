import { expect } from "vitest";

type Value = number | undefined;

/** How far `actual` is from `expected`, relative to the larger. */
export const relative = (actual: number, expected: number): number =>
  actual === expected ? 0 : Math.abs(actual - expected) / Math.max(Math.abs(actual), Math.abs(expected));

/** Asserts that two rows of lrs agree to `tolerance`, relative. */
export function expectRow(
  actual: readonly Value[],
  expected: readonly Value[],
  label: string,
  tolerance: number,
): void {
  const wanted = expected.filter((value) => value !== undefined);
  const ok = actual.length === wanted.length && wanted.every((value, i) => relative(actual[i]!, value) <= tolerance);
  if (!ok) expect(actual, label).toEqual(wanted);
}
