import { writeFileSync } from "node:fs";
import { snakeCase } from "../core/state.ts";
import { setWarnings } from "../index.ts";
import { advance, build, type Case, loadCases, optimizerFor, type SavedRun } from "./fixtures.ts";

/** Steps after which states are handed to PyTorch. */
const savedAt = [0, 1, 4, 9, 23, 60];

export interface Exported {
  readonly name: string;
  readonly at: number;
  readonly schedulers: SavedRun["schedulers"];
  readonly groups: SavedRun["groups"];
}

function exportCase(c: Case): Exported[] {
  const optimizer = optimizerFor(c);
  const schedulers = c.schedulers.map((description) => build(optimizer, description));
  return Array.from({ length: Math.max(...savedAt) + 1 }, (_, at) => {
    if (at > 0) advance(c, at - 1, optimizer, schedulers);
    const groups = optimizer.paramGroups.map((group) =>
      Object.fromEntries(Object.entries(group).map(([key, value]) => [snakeCase(key), value])),
    );
    return { name: c.name, at, schedulers: schedulers.map((scheduler) => scheduler.stateDict()), groups };
  }).filter(({ at }) => savedAt.includes(at));
}

/** Our states in every recorded case. */
export function exportStates(): Exported[] {
  setWarnings(false);
  return loadCases().flatMap(exportCase);
}

/** JSON, with infinities as tools/torch-fixtures spells them. */
export const toText = (exported: readonly Exported[]): string =>
  JSON.stringify(exported, (_key, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value).replace("Infinity", "inf") : value,
  );

// As a program, for the recorder: node export-states.ts FILE
const [, program, file] = process.argv;
if (program === import.meta.filename && file) writeFileSync(file, toText(exportStates()));
