import { type RunnerTestCase, TestRunner } from "vitest";
import { excuse } from "./excuse.ts";

/** Runs tests on a backend that cannot do everything. */
class AbilitiesRunner extends TestRunner {
  override onAfterRunTask(test: RunnerTestCase): void {
    super.onAfterRunTask(test);
    excuse(test);
  }
}

// biome-ignore lint/style/noDefaultExport: Vitest takes a runner by its default export.
export default AbilitiesRunner;
