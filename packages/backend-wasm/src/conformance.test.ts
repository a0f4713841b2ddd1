import { conformance } from "@descent/backend/conformance";
import { afterAll, describe, it, vi } from "vitest";
import type { WasmOptions } from "./options.ts";
import { wasm } from "./wasm.ts";

const variants: readonly (readonly [name: string, options: WasmOptions])[] = [
  ["one thread", { threads: 1 }],
  ["one thread, no fused multiply-add", { threads: 1, relaxedSimd: false }],
  ["two threads", { threads: 2 }],
  ["two workers, not blocking", { threads: 2, blocking: false }],
  ["one thread in slices, not blocking", { threads: 1, blocking: false }],
];

for (const [name, options] of variants) {
  describe(name, () => {
    const create = () => {
      // Without workers, a thread that must not block does the work itself.
      if (name.includes("slices")) vi.stubGlobal("crossOriginIsolated", false);
      const backend = wasm(options);
      vi.unstubAllGlobals();
      return backend;
    };
    conformance({ create, test: { describe, it, afterAll } });
  });
}
