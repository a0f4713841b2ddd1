import { conformance } from "@descent/backend/conformance";
import { afterAll, describe, it } from "vitest";
import type { WasmOptions } from "./options.ts";
import { wasm } from "./wasm.ts";

const variants: readonly (readonly [name: string, options: WasmOptions])[] = [
  ["one thread", { threads: 1 }],
  ["one thread, no fused multiply-add", { threads: 1, relaxedSimd: false }],
  ["two threads", { threads: 2 }],
];

for (const [name, options] of variants) {
  describe(name, () => {
    conformance({ create: () => wasm(options), test: { describe, it, afterAll } });
  });
}
