import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

// Every package builds with this file. What it builds is what its package.json exports, so the two cannot disagree.
const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, string> };

export default defineConfig({
  entry: Object.values(exports).filter((path) => path.endsWith(".ts")),
  format: ["esm", "cjs"],
  // Without splitting, CJS copies what two entries share, and a class is then not itself in the other entry.
  splitting: true,
  dts: true,
  sourcemap: true,
  clean: true,
  target: "es2022",
});
