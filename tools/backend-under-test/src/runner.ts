import { type RunnerTestCase, TestRunner } from "vitest";
import type {} from "./index.ts";

/** What the error says where a backend has no float64, by design; also as what came instead of an expected error. */
const needsFloat64 = /this backend (cannot hold the|does not (hold|compute on) this dtype)/;

/**
 * Runs tests on a backend without float64: one that ends in the error that says so counts as skipped. Everything else that goes
 * wrong fails.
 */
class AbilitiesRunner extends TestRunner {
  override onAfterRunTask(test: RunnerTestCase): void {
    super.onAfterRunTask(test);
    const { result } = test;
    if (result?.state !== "fail") return;
    if (
      !result.errors?.length ||
      !result.errors.every(({ message, actual }) => needsFloat64.test(`${message} ${actual}`))
    )
      return;
    test.mode = "skip";
    test.meta.needs = "float64";
    result.state = "skip";
    delete result.errors;
  }
}

// biome-ignore lint/style/noDefaultExport: Vitest takes a runner by its default export.
export default AbilitiesRunner;
