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
}

type Row = Omit<UnderTest, "name"> & { readonly make: () => Promise<Backend> };

const rows: Readonly<Record<UnderTest["name"], Row>> = {
  cpu: {
    float64: true,
    sync: true,
    exact: true,
    make: async () => (await import("@descent/backend-cpu")).cpu(),
  },
  // Two threads unless DESCENT_THREADS says otherwise: enough for every way in which work is shared out.
  wasm: {
    float64: true,
    sync: true,
    exact: false,
    make: async () =>
      (await import("@descent/backend-wasm")).wasm({ threads: Number(process.env.DESCENT_THREADS ?? 2) }),
  },
  // Dawn, on the software driver that the tests' configuration names where the machine has no GPU; in a worker, so that tests can
  // read at once. That reads are to be awaited, and what happens meanwhile, the backend's own tests look at.
  webgpu: {
    float64: false,
    sync: true,
    exact: false,
    make: async () => (await import("./waiting.ts")).waitingWebgpu(),
  },
};

const name = (process.env.DESCENT_BACKEND ?? "cpu") as UnderTest["name"];
const row = rows[name];
if (!row) throw new Error(`DESCENT_BACKEND is "${name}"; there are ${Object.keys(rows).join(", ")}`);
const { make, ...abilities } = row;

/** The backend that the environment variable DESCENT_BACKEND names, and what it can do. */
export const under: UnderTest = { name, ...abilities };

/** A new backend of the kind that DESCENT_BACKEND names (cpu unless set). */
export const backendUnderTest = (): Promise<Backend> => make();
