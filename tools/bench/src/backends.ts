import type { Backend } from "@descent/backend";
import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";
import { webgpu } from "@descent/backend-webgpu";

/** What `--backend` may name, with the number of threads it is to have. */
export const backends: Readonly<Record<string, (threads: number) => Backend | Promise<Backend>>> = {
  cpu: () => cpu(),
  wasm: (threads) => wasm({ threads }),
  // What an earlier run has tuned does not count.
  webgpu: () => webgpu({ tuningCache: false }),
  // Executes nothing: what is left is what launches cost the host.
  "webgpu-null": () => webgpu({ tuningCache: false, dawn: ["backend=null"] }),
};
