export { leavesNothing } from "./leaves-nothing.ts";

import type { Backend } from "@descent/backend";

/** What tests may expect of the backend they run on. */
export interface UnderTest {
  readonly name: "cpu" | "wasm" | "webgpu";
  /** Whether it computes in float64. */
  readonly float64: boolean;
  /** Whether it reads at once (`dataSync`, `itemSync`). */
  readonly sync: boolean;
  /** Whether it gives the same bits as the interpreter, in which every operation is rounded by itself and sums run in one order. */
  readonly exact: boolean;
  /** Whether numbers below 2⁻¹²⁶ are told from 0. */
  readonly subnormals: boolean;
  /** Whether an index out of range is an error of the call: what only enqueues cannot look at indices. */
  readonly checksIndices: boolean;
  /** Whether there is time for every case: a software driver takes some ten milliseconds to compile a shader, and one to run it. */
  readonly speed: boolean;
}

type Row = Omit<UnderTest, "name"> & { readonly make: () => Promise<Backend> };

const rows: Readonly<Record<UnderTest["name"], Row>> = {
  cpu: {
    float64: true,
    sync: true,
    exact: true,
    subnormals: true,
    checksIndices: true,
    speed: true,
    make: async () => (await import("@descent/backend-cpu")).cpu(),
  },
  // Two threads unless DESCENT_THREADS says otherwise: enough for every way in which work is shared out.
  wasm: {
    float64: true,
    sync: true,
    exact: false,
    subnormals: true,
    checksIndices: true,
    speed: true,
    make: async () =>
      (await import("@descent/backend-wasm")).wasm({ threads: Number(process.env.DESCENT_THREADS ?? 2) }),
  },
  // Dawn, on the software driver that the tests' configuration names where the machine has no GPU; in a worker, so that tests can
  // read at once. That reads are to be awaited, and what happens meanwhile, the backend's own tests look at.
  webgpu: {
    float64: false,
    sync: true,
    exact: false,
    subnormals: false,
    checksIndices: false,
    speed: false,
    make: async () => (await import("./waiting.ts")).waitingWebgpu(),
  },
};

/** In a page nothing may wait: reads are awaited. */
const inPage: Row = {
  ...rows.webgpu,
  sync: false,
  make: async () => (await import("@descent/backend-webgpu")).webgpu({ tuningCache: false }),
};

const name = (process.env.DESCENT_BACKEND ?? "cpu") as UnderTest["name"];
const row = name === "webgpu" && "document" in globalThis ? inPage : rows[name];
if (!row) throw new Error(`DESCENT_BACKEND is "${name}"; there are ${Object.keys(rows).join(", ")}`);
const { make, ...abilities } = row;

/** The backend that the environment variable DESCENT_BACKEND names, and what it can do. */
export const under: UnderTest = { name, ...abilities };

declare module "vitest" {
  interface TaskMeta {
    /** What the backend would have to be able to do. */
    needs?: string;
  }
}

/** What some backends cannot do, and a test may need. */
export type Ability = "float64" | "sync" | "checksIndices" | "speed";

/**
 * Options of tests that need an ability: where the backend lacks it they are skipped, and counted in the report by what they need.
 *
 * @example
 * test("indices out of range", needs("checksIndices"), () => …);
 */
export const needs = (ability: Ability): { readonly skip: boolean; readonly meta: { needs: Ability } } => ({
  skip: !under[ability],
  meta: { needs: ability },
});

/**
 * Cases to run, and cases to skip: of a long table, a `share` from all over it where the backend lacks speed, and everything elsewhere.
 *
 * @example
 * const [some, rest] = sampled(cases, 1 / 3);
 * test.each(some)("%s", run);
 * test.each(rest)("%s", needs("speed"), run);
 */
export function sampled<T>(cases: readonly T[], share: number): readonly [some: readonly T[], rest: readonly T[]] {
  // Multiples of the golden ratio: evenly spread, and out of step with any order in the table.
  const isIn = (i: number) => under.speed || (i * 0.6180339887) % 1 < share;
  return [cases.filter((_, i) => isIn(i)), cases.filter((_, i) => !isIn(i))];
}

/** A new backend of the kind that DESCENT_BACKEND names (cpu unless set). */
export const backendUnderTest = (): Promise<Backend> => make();
