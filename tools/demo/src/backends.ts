import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";
import type { Backend } from "@descent/tensor";

/** The backends of this demo, best first. */
export const backends = { wasm, cpu } satisfies Record<string, () => Backend | Promise<Backend>>;

export type BackendName = keyof typeof backends;

export const bestBackend = Object.keys(backends)[0] as BackendName;
