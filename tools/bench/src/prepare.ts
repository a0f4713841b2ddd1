import { type Backend, dispose, keep, scope, type Tensor } from "@descent/tensor";
import type { Prepared } from "./task.ts";

let backend: Backend;
/** The backend that Descent's side of a task runs on. */
export const setBackend = (one: Backend): void => {
  backend = one;
};
export const currentBackend = (): Backend => backend;

/** Tensors that outlive every scope. */
export const kept = <T extends readonly Tensor[]>(...tensors: T): T => tensors.map((t) => keep(t)) as unknown as T;

/** Calls `f` in a scope of its own, so that what it makes is freed at once. */
export function freed(inputs: readonly Tensor[], f: () => unknown, calls = 1): Prepared {
  const [probe] = inputs;
  return {
    run() {
      using _ = scope();
      for (let i = 0; i < calls; i++) f();
    },
    // Reading anything waits for everything that was asked for before.
    ...(backend.readSync ? {} : { settle: async () => probe?.data() }),
    dispose: () => dispose(...inputs),
  };
}
