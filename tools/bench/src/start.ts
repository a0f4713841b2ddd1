import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Finding } from "./report.ts";

const script = fileURLToPath(new URL("first-result.ts", import.meta.url));
const runs = 7;

interface Start {
  readonly result: number;
  readonly step: number;
  readonly modules: number;
  readonly bytes: number;
}

/** How long a fresh process takes to its first result and to its first training step, and what it compiles for them. */
export function measureStart(backend: string, threads: number): Finding[] {
  const starts = Array.from({ length: runs }, (): Start => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, backend, `${threads}`], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`the first result failed:\n${stderr}`);
    return JSON.parse(stdout);
  });
  const finding = (name: string, key: "result" | "step"): Finding => {
    const times = starts.map((start) => start[key]).sort((a, b) => a - b);
    return { name, descent: { median: times[runs >> 1]!, best: times[0]! }, peers: {}, missing: {} };
  };
  const { modules, bytes } = starts[0]!;
  const compiled = modules ? `: ${modules} modules, ${(bytes / 1024).toFixed(1)} KiB in all` : "";
  return [finding("import to first result", "result"), finding(`first step of the MLP${compiled}`, "step")];
}
