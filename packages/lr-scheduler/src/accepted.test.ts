import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exportStates, toText } from "./testing/export-states.ts";

/** What tools/torch-fixtures/schedulers found when it loaded our states into PyTorch and continued there. */
interface Accepted {
  readonly name: string;
  readonly at: number;
  /** Largest relative difference from PyTorch's own run, lr and momentum, over the next 60 steps. */
  readonly deviation: number;
  /** Digest of the states that were loaded. */
  readonly states: string;
}

const text = readFileSync(new URL("../fixtures/accepted.json", import.meta.url), "utf8");
const accepted = (JSON.parse(text) as { cases: Accepted[] }).cases;

/** As the digest of schedulers/build.py: entries by name, numbers to ten digits, in Python's spelling. */
function entries(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(entries);
  if (typeof value === "number") return [value.toExponential(9).replace(/e([+-])(\d)$/, "e$10$2")];
  if (typeof value === "boolean") return [value ? "True" : "False"];
  if (value === null) return ["None"];
  if (typeof value !== "object") return [String(value)];
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, item]) => [key, ...entries(item)]);
}

const digest = (states: unknown) => createHash("sha256").update(entries(states).join("|")).digest("hex").slice(0, 16);

test("PyTorch continued our states as its own", () => {
  expect(accepted.filter(({ deviation }) => deviation > 1e-12)).toEqual([]);
});

test("the states that PyTorch continued are the ones we save today", () => {
  const today = JSON.parse(toText(exportStates())) as ReturnType<typeof exportStates>;
  const checked = accepted.map(({ name, at, states }) => `${name}, ${at}: ${states}`);
  expect(today.map(({ name, at, schedulers }) => `${name}, ${at}: ${digest(schedulers)}`)).toEqual(checked);
});
