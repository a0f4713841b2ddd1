import type { RunnerTestCase } from "vitest";
import { type Ability, under } from "./index.ts";

/** What the errors say where a backend lacks something by design; also as what came instead of an expected error. */
const reasons: readonly (readonly [Ability, RegExp])[] = [
  ["float64", /this backend (cannot hold the|does not (hold|compute on) this dtype)/],
  ["sync", /this backend cannot wait for its results|no number that can be read at once/],
];

/** Counts a test that ended in an error that says what the backend lacks as skipped. Everything else that goes wrong fails. */
export function excuse(test: RunnerTestCase): void {
  const { result } = test;
  if (result?.state !== "fail" || !result.errors?.length) return;
  const { errors } = result;
  const found = reasons.find(
    ([ability, reason]) =>
      !under[ability] && errors.every(({ message, actual }) => reason.test(`${message} ${actual}`)),
  );
  if (!found) return;
  test.mode = "skip";
  [test.meta.needs] = found;
  result.state = "skip";
  delete result.errors;
}
