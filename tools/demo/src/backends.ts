import { cpu } from "@descent/backend-cpu";
import { wasm } from "@descent/backend-wasm";
import { webgpu } from "@descent/backend-webgpu";
import type { Backend } from "@descent/tensor";
import type { ModelName } from "./models.ts";

interface Choice {
  readonly make: () => Backend | Promise<Backend>;
  /** Passes over the digits unless the user says how many: what is worth waiting for at its speed. */
  readonly epochs: Readonly<Record<ModelName, number>>;
}

/** The backends of this demo. The first is the default: the fastest that every machine has. */
export const backends = {
  wasm: { make: wasm, epochs: { mlp: 4, cnn: 2 } },
  webgpu: { make: webgpu, epochs: { mlp: 4, cnn: 2 } },
  cpu: { make: cpu, epochs: { mlp: 2, cnn: 1 } },
} satisfies Record<string, Choice>;

export type BackendName = keyof typeof backends;
