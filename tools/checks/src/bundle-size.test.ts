import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bundle } from "./bundle.ts";
import { packages } from "./workspace.ts";

interface Budget {
  readonly what: string;
  /** What a user writes. */
  readonly code: string;
  /** Packages that another budget pays for. */
  readonly without?: readonly string[];
  /** Minified and gzipped. */
  readonly limit: number;
}

const KB = 1000;

const budgets: readonly Budget[] = [
  {
    what: "optim and lr-scheduler, beyond the tensors they work on",
    code: `export { Adam } from "@descent/optim"; export { StepLR } from "@descent/lr-scheduler";`,
    without: ["@descent/tensor", "@descent/backend"],
    limit: 12 * KB,
  },
  {
    what: "all of optim and lr-scheduler, beyond the tensors they work on",
    code: `export * from "@descent/optim"; export * from "@descent/lr-scheduler";`,
    without: ["@descent/tensor", "@descent/backend"],
    limit: 34 * KB,
  },
  {
    what: "training on the cpu: tensor, autograd, optim, backend-cpu",
    code: `
      export { use, tensor } from "@descent/tensor";
      export { variable } from "@descent/autograd";
      export { Adam } from "@descent/optim";
      export { cpu } from "@descent/backend-cpu";`,
    limit: 64 * KB, // the aim is 30: the Tensor class brings every operation along, and printing, random numbers and capture
  },
  {
    what: "training on wasm: tensor, autograd, optim, backend-wasm",
    code: `
      export { use, tensor } from "@descent/tensor";
      export { variable } from "@descent/autograd";
      export { Adam } from "@descent/optim";
      export { wasm } from "@descent/backend-wasm";`,
    limit: 85 * KB, // the aim is 50, as above; the backend itself is some 27, of which functions of floats and folds take 4 more than they need to be right
  },
  {
    what: "training on webgpu: tensor, autograd, optim, backend-webgpu",
    code: `
      export { use, tensor } from "@descent/tensor";
      export { variable } from "@descent/autograd";
      export { Adam } from "@descent/optim";
      export { webgpu } from "@descent/backend-webgpu";`,
    limit: 82 * KB, // the backend itself is some 25 (tuning, profiles and recovery are loaded when asked for); most of the rest is the Tensor class
  },
];

const exists = (name: string) => packages.some(({ manifest }) => manifest.name === name);

describe("bundle sizes", () => {
  for (const { what, code, without, limit } of budgets) {
    const needed = [...code.matchAll(/"(@descent\/[\w-]+)"/g)].map(([, name]) => name as string);
    test.runIf(needed.every(exists))(`${what}: at most ${limit / KB} KB`, { timeout: 60_000 }, async () => {
      const minified = await bundle(code, without);
      const bytes = gzipSync(minified, { level: 9 }).length;
      console.log(
        `${what}: ${(bytes / KB).toFixed(1)} of ${limit / KB} KB (${(minified.length / KB).toFixed(1)} KB before gzip)`,
      );
      expect(bytes).toBeLessThanOrEqual(limit);
    });
  }
});
