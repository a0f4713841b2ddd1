import { beforeAll, describe, expect, test } from "vitest";
import { type StateDict, setWarnings } from "./index.ts";
import { expectRow, relative } from "./testing/close.ts";
import { advance, build, type Case, groupsFrom, loadCases, optimizerFor, type SavedRun } from "./testing/fixtures.ts";

const cases = loadCases();

/** Relative. PyTorch itself loses digits in one place: (min − max) · 1 + max, where min is 250 000 times smaller. */
const toleranceOf = ({ name }: Case) => (name === "one cycle linear" ? 1e-11 : 1e-12);

beforeAll(() => setWarnings(false));

function start(c: Case) {
  const optimizer = optimizerFor(c);
  return { optimizer, schedulers: c.schedulers.map((description) => build(optimizer, description)) };
}

function expectTrace(c: Case, from: number, { optimizer, schedulers }: ReturnType<typeof start>): void {
  for (let k = from; k < c.trace.length; k++) {
    if (k > from) advance(c, k - 1, optimizer, schedulers);
    expectRow(optimizer.lrs(), c.trace[k]!, `lr after ${k} steps`, toleranceOf(c));
    if (c.momenta) expectRow(optimizer.momenta(), c.momenta[k]!, `momentum after ${k} steps`, toleranceOf(c));
  }
}

describe("the same lrs as PyTorch", () => {
  test.each(cases)("$name", (c) => expectTrace(c, 0, start(c)));
});

const saved = cases.flatMap((c) =>
  Object.entries(c.states).map(([k, run]) => ({ name: `${c.name}, after ${k}`, c, k: Number(k), run })),
);
type Saved = (typeof saved)[number];

/** The entries in which `actual` differs from `expected`, by path. */
function differences(actual: unknown, expected: unknown, tolerance: number, path = ""): string[] {
  if (typeof actual === "number" && typeof expected === "number") {
    return relative(actual, expected) <= tolerance ? [] : [`${path}: ${actual}, not ${expected}`];
  }
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
    return actual === expected ? [] : [`${path}: ${actual}, not ${expected}`];
  }
  const keys = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...keys].flatMap((key) =>
    differences((actual as StateDict)[key], (expected as StateDict)[key], tolerance, `${path}.${key}`),
  );
}

/**
 * PyTorch does not extend base_lrs by a group added later, and steps the children of a ChainedScheduler once more when a
 * SequentialLR is built on it. Neither changes an lr.
 */
const known = ({ name }: Case, difference: string): boolean =>
  (name.endsWith("grown") && difference.startsWith(".0.base_lrs.2")) ||
  (name === "sequential chain first" && /\._(step_count|is_initial): /.test(difference));

describe("the same states as PyTorch", () => {
  test.each(saved)("$name", ({ c, k, run }) => {
    const { optimizer, schedulers } = start(c);
    for (let step = 0; step < k; step++) advance(c, step, optimizer, schedulers);
    const states = schedulers.map((scheduler) => scheduler.stateDict());
    const found = differences(states, run.schedulers, toleranceOf(c));
    expect(found.filter((difference) => !known(c, difference))).toEqual([]);
  });
});

/** A run that begins at step `k`, with the groups that the case has added by then. */
function startAt({ c, k }: Saved) {
  const late = Object.entries(c.added ?? {}).filter(([at]) => Number(at) < k);
  return start({ ...c, lrs: [...c.lrs, ...late.map(([, lr]) => lr)] });
}

const load = (schedulers: ReturnType<typeof start>["schedulers"], states: SavedRun["schedulers"]) => {
  for (const [i, scheduler] of schedulers.entries()) scheduler.loadStateDict(states[i]!);
};

describe("states of PyTorch continue here", () => {
  test.each(saved)("scheduler, then optimizer: $name", (s) => {
    const run = startAt(s);
    load(run.schedulers, s.run.schedulers);
    run.optimizer.loadStateDict(groupsFrom(s.run.groups));
    expectTrace(s.c, s.k, run);
  });

  test.each(saved)("scheduler alone: $name", (s) => {
    const run = startAt(s);
    load(run.schedulers, s.run.schedulers);
    expectTrace(s.c, s.k, run);
  });

  test.each(saved)("optimizer, then a new scheduler: $name", (s) => {
    const optimizer = optimizerFor(s.c);
    optimizer.loadStateDict(groupsFrom(s.run.groups));
    const schedulers = s.c.schedulers.map((description) => build(optimizer, description));
    load(schedulers, s.run.schedulers);
    expectTrace(s.c, s.k, { optimizer, schedulers });
  });
});
