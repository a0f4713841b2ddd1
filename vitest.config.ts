import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { chromium, vulkanEnvironment } from "./tools/browser/src/index.ts";

const skipped = (what: string, why: string) =>
  console.warn(`\n${"!".repeat(100)}\n!!! SKIPPED: ${what}\n!!! ${why}\n${"!".repeat(100)}\n`);

// The dynamic loader reads these when a process starts, so they are set here, before any worker exists.
const vulkan = await vulkanEnvironment();
if (vulkan) Object.assign(process.env, vulkan);
else
  skipped(
    "WebGPU in Node",
    "No Vulkan driver: none is installed, and the one that comes with Chromium is for Linux x64.",
  );

// A timeout is there for what hangs, not for a machine that is busy.
const testTimeout = 60_000;

const packages: TestProjectConfiguration = {
  test: {
    name: "packages",
    include: ["packages/*/src/**/*.test.ts"],
    exclude: ["**/*.browser.test.ts"],
    // Memory tests collect garbage on demand.
    execArgv: ["--expose-gc"],
    pool: "forks",
    testTimeout,
  },
};

/**
 * What runs on WebGPU too, in float32: tests that need float64 count as skipped there. The software driver takes some ten
 * milliseconds to compile a shader, so files whose every case has one of its own (recorded element-wise operations, type promotion,
 * trajectories of every option) are left to the other backends; the conformance kit looks at their operations one by one. Left out too:
 * files with a test of errors that only a backend gives that looks at indices at once.
 */
const onWebgpu = [
  "tensor/src/{fill,first-available,print,smoke,sparse,tensor}",
  "tensor/src/ops/{fuse,max-pool}",
  "autograd/src/{linear,linear-fixtures,variable}",
  "nn/src/{launches,module,network}",
  "nn/src/{loss/losses,norm/norms}",
  "data/src/{idx,loader}",
  "optim/src/{capture,state-dict}",
  "optim/src/averaging/averaging",
].map((path) => `packages/${path}.test.ts`);

/** The tests of everything above the backends, on another one. */
const on = (
  backend: string,
  include: string[] = ["packages/{tensor,autograd,nn,data,optim}/src/**/*.test.ts"],
  runner?: string,
): TestProjectConfiguration => ({
  test: {
    ...packages.test,
    name: backend,
    include,
    env: { DESCENT_BACKEND: backend },
    ...(runner !== undefined && { runner }),
  },
});

const tools: TestProjectConfiguration = {
  test: {
    name: "tools",
    include: ["tools/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.browser.test.ts"],
    pool: "forks",
    testTimeout,
  },
};

const browser = (found: NonNullable<Awaited<ReturnType<typeof chromium>>>): TestProjectConfiguration => ({
  // Shared memory, and with it threads, exists only in pages that are cross-origin isolated.
  server: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
  test: {
    name: "browser",
    testTimeout,
    include: ["packages/*/src/**/*.browser.test.ts", "tools/browser/**/*.browser.test.ts"],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      instances: [{ browser: "chromium" }],
      provider: playwright({
        launchOptions: {
          executablePath: found.executablePath,
          args: [...found.args],
          env: { ...process.env, ...found.env } as Record<string, string>,
        },
      }),
    },
  },
});

const found = await chromium();
if (!found) {
  skipped(
    "every *.browser.test.ts",
    "No Chromium: set CHROMIUM_PATH, install one, or let `npm run setup` fetch @sparticuz/chromium (Linux x64).",
  );
}

export default defineConfig({
  test: {
    projects: [
      packages,
      on("wasm"),
      on("webgpu", onWebgpu, "./tools/backend-under-test/src/runner.ts"),
      tools,
      ...(found ? [browser(found)] : []),
    ],
  },
});
