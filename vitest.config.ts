import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { skips } from "./tools/backend-under-test/src/skips.ts";
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
 * The tests of everything above the backends, on another one. With the `runner`, tests that ended in the error that says
 * that the backend has no float64 count as skipped.
 */
const on = (backend: string, runner?: string): TestProjectConfiguration => ({
  test: {
    ...packages.test,
    name: backend,
    include: ["packages/{tensor,autograd,nn,data,optim}/src/**/*.test.ts"],
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
          args: [...found.args, "--js-flags=--expose-gc"],
          env: { ...process.env, ...found.env } as Record<string, string>,
        },
      }),
    },
  },
});

/** Tests of every layer above the backends that await what they read, on WebGPU in a page: some of each package. */
const inPage = (found: NonNullable<Awaited<ReturnType<typeof chromium>>>): TestProjectConfiguration => {
  const { server, test } = browser(found) as { server: object; test: object };
  const files = new URL("./tools/backend-under-test/src/page-files.ts", import.meta.url).pathname;
  return {
    server,
    resolve: { alias: { "node:fs": files } },
    define: { "process.env": JSON.stringify({ DESCENT_BACKEND: "webgpu" }) },
    test: {
      ...test,
      name: "webgpu in a page",
      include: onPages.map((path) => `packages/${path}.test.ts`),
      setupFiles: "./tools/backend-under-test/src/page-setup.ts",
    },
  };
};
const onPages = [
  "tensor/src/{errors,fill,random,smoke,sparse}",
  "autograd/src/{linear-errors,sparse-gather,variable}",
  "nn/src/{attention,network,layer/embedding,norm/norms}",
  "optim/src/{amp/waiting,averaging/averaging,clip/clip}",
];

const found = await chromium();
if (!found) {
  skipped(
    "every *.browser.test.ts",
    "No Chromium: set CHROMIUM_PATH, install one, or let `npm run setup` fetch @sparticuz/chromium (Linux x64).",
  );
}

// Reporters named on the command line would replace these.
const results = process.env.TEST_RESULTS;
const json: ["json", { outputFile: string }][] = results ? [["json", { outputFile: results }]] : [];

export default defineConfig({
  test: {
    reporters: ["default", skips, ...json],
    projects: [
      packages,
      on("wasm"),
      on("webgpu", "./tools/backend-under-test/src/runner.ts"),
      tools,
      ...(found ? [browser(found), inPage(found)] : []),
    ],
  },
});
