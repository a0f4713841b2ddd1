import type { Backend } from "@descent/backend";
import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";
import { webgpu } from "@descent/backend-webgpu";

/** What `--backend` may name, with the number of threads it is to have. */
export const backends: Readonly<Record<string, (threads: number) => Backend | Promise<Backend>>> = {
  cpu: () => cpu(),
  wasm: (threads) => wasm({ threads }),
  webgpu: () => webgpu(),
  // Executes nothing: what is left is what launches cost the host.
  "webgpu-null": () => webgpu({ dawn: ["backend=null"] }),
};
