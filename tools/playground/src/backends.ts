import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";
import { webgpu } from "@descent/backend-webgpu";
import type { Backend } from "@descent/tensor";

/** The backends to choose from; the first is the one that every browser has. */
export const backends = {
  wasm: () => wasm(),
  webgpu: () => webgpu(),
  cpu: () => cpu(),
} satisfies Record<string, () => Backend | Promise<Backend>>;

export type BackendName = keyof typeof backends;
