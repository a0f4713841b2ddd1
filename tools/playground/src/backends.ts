import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";
import type { Backend } from "@descent/tensor";

/** The backends to choose from, best first. */
export const backends = {
  wasm: () => wasm(),
  cpu: () => cpu(),
} satisfies Record<string, () => Backend | Promise<Backend>>;

export type BackendName = keyof typeof backends;
