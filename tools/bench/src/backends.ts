import type { Backend } from "@descent/backend";
import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";

/** What `--backend` may name. */
export const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  cpu: () => cpu(),
  wasm: () => wasm(),
  "wasm-one-thread": () => wasm({ threads: 1 }),
};
