import type { Reporter, TestCase, TestSuite } from "vitest/node";
import type {} from "./index.ts";

function needsOf(test: TestCase): string | undefined {
  let task: TestCase | TestSuite = test;
  for (;;) {
    const { needs } = task.meta();
    if (needs !== undefined || task.parent.type !== "suite") return needs;
    task = task.parent;
  }
}

/** Says at the end how many tests were skipped, on which backend, for want of what. */
export const skips: Reporter = {
  onTestRunEnd(modules) {
    const counts = new Map<string, number>();
    for (const module of modules)
      for (const test of module.children.allTests("skipped")) {
        const ability = needsOf(test);
        if (ability === undefined) continue;
        const line = `skipped on ${module.project.name} for want of ${ability}`;
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    for (const [line, count] of counts) console.log(`${count} tests ${line}`);
  },
};
