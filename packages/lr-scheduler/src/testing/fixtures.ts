import { readFileSync } from "node:fs";
import type { LRScheduler, Schedulable, StateDict } from "../index.ts";
import * as api from "../index.ts";
import { adam, type Group, sgd, type TestOptimizer } from "./optimizer.ts";

/** A scheduler as tools/torch-fixtures/schedulers describes it, in PyTorch's names. */
export interface Description {
  readonly class: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly schedulers?: readonly Description[];
}

type Column = readonly (number | null)[] | number;

interface Recorded {
  readonly name: string;
  readonly optimizer?: "sgd" | "adam";
  readonly lrs: readonly number[];
  readonly schedulers: readonly Description[];
  readonly metrics?: readonly number[];
  readonly calls?: readonly (number | null)[];
  readonly edits?: Readonly<Record<string, number>>;
  readonly added?: Readonly<Record<string, number>>;
  readonly trace: readonly Column[];
  readonly momenta?: readonly Column[];
  readonly states: Readonly<Record<string, SavedRun>>;
}

/** Everything saved at one step. */
export interface SavedRun {
  readonly schedulers: readonly StateDict[];
  readonly groups: readonly Record<string, unknown>[];
}

export interface Case extends Omit<Recorded, "trace" | "momenta"> {
  /** Lr of each group after each number of steps; undefined before the group exists. */
  readonly trace: readonly (readonly (number | undefined)[])[];
  readonly momenta?: readonly (readonly (number | undefined)[])[];
}

/** The functions that descriptions name; tools/torch-fixtures/schedulers/build.py holds the same ones. */
const functions: Readonly<Record<string, (x: number) => number>> = {
  "0.95**e": (e) => 0.95 ** e,
  "1/(1+e/10)": (e) => 1 / (1 + e / 10),
  "0.98": () => 0.98,
  "1-0.1/(e+1)": (e) => 1 - 0.1 / (e + 1),
  "1/x": (x) => 1 / x,
  "0.99**x": (x) => 0.99 ** x,
};

const infinities: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};

const revive = (_key: string, value: unknown): unknown =>
  typeof value === "string" && value in infinities ? infinities[value] : value;

function rows(columns: readonly Column[]): (number | undefined)[][] {
  const full = columns.map((column) => {
    let last: number | undefined;
    const values = typeof column === "number" ? (columns[column] as readonly (number | null)[]) : column;
    return values.map((value) => {
      last = value ?? last;
      return last;
    });
  });
  return full[0]!.map((_, k) => full.map((column) => column[k]));
}

export function loadCases(): Case[] {
  const text = readFileSync(new URL("../../fixtures/schedules.json", import.meta.url), "utf8");
  const { cases } = JSON.parse(text, revive) as { cases: Recorded[] };
  return cases.map(({ trace, momenta, ...rest }) => ({
    ...rest,
    trace: rows(trace),
    ...(momenta && { momenta: rows(momenta) }),
  }));
}

export const camelCase = (name: string): string =>
  name
    .replace(/^T_(.)/, (_, letter: string) => `t_${letter}`)
    .replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const isNamed = (value: unknown): value is { fn: string } =>
  typeof value === "object" && value !== null && "fn" in value;
const namedValue = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(namedValue);
  return isNamed(value) ? functions[value.fn] : value;
};

type Class = new (optimizer: unknown, options: unknown) => LRScheduler;

/** Builds what a description names. `resume` goes to the outermost scheduler only. */
export function build(
  optimizer: Schedulable,
  description: Description,
  resume: { lastEpoch?: number } = {},
): LRScheduler {
  const entries = Object.entries(description.options ?? {});
  const options = Object.fromEntries(entries.map(([name, value]) => [camelCase(name), namedValue(value)]));
  const schedulers = description.schedulers?.map((child) => build(optimizer, child));
  if (description.class === "ChainedScheduler") return new api.ChainedScheduler(schedulers!, resume);
  const Scheduler = (api as unknown as Record<string, Class>)[description.class]!;
  return new Scheduler(optimizer, { ...options, ...resume, ...(schedulers && { schedulers }) });
}

export const optimizerFor = ({ optimizer, lrs }: Pick<Case, "optimizer" | "lrs">): TestOptimizer =>
  optimizer === "adam" ? adam(lrs) : sgd(lrs);

/** Step `k` of a recorded run: an edit or a new group, then every scheduler. */
export function advance(c: Case, k: number, optimizer: TestOptimizer, schedulers: readonly LRScheduler[]): void {
  const edit = c.edits?.[k];
  if (edit !== undefined) for (const group of optimizer.paramGroups) group.lr = edit;
  const added = c.added?.[k];
  if (added !== undefined) optimizer.addParamGroup({ lr: added, momentum: 0.9 });
  for (const scheduler of schedulers) {
    if (scheduler instanceof api.ReduceLROnPlateau) scheduler.step(c.metrics![k]!);
    else scheduler.step(c.calls?.[k] ?? undefined);
  }
}

/** Groups from PyTorch's optimizer state, as our optimizers read them. */
export const groupsFrom = (groups: SavedRun["groups"]): Group[] =>
  groups.map((group) => {
    const entries = Object.entries(group).map(([key, value]) => [camelCase(key), value]);
    return Object.fromEntries(entries) as Group;
  });
