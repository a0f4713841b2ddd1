import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium as found } from "browser";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./bundled.ts";
import type { Report } from "./program.ts";

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
/** Allows WebAssembly, and workers from blobs; neither eval nor anything from elsewhere. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:";

/** Tests that depend on where launches run; the others run in the worker, and in the package's own browser test. */
const some = "^(order|misuse|fused|storage|indexed)";

const installed = await found();
if (!installed) console.warn("SKIPPED: the wasm backend under a Content-Security-Policy, for want of a Chromium.");

describe.runIf(installed)("the wasm backend in Chromium, under a Content-Security-Policy", { timeout: 120_000 }, () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    const scripts: Readonly<Record<string, string>> = {
      "/some.js": await program(some),
      "/all.js": await program(),
      "/worker.js": `new Worker("/all.js", { type: "module" });`,
    };
    server = createServer(({ url = "" }, response) => {
      const { pathname, searchParams } = new URL(url, "http://localhost");
      const script = scripts[pathname];
      response.writeHead(200, {
        "Content-Type": script === undefined ? "text/html" : "text/javascript",
        "Content-Security-Policy": policy,
        ...(searchParams.get("isolated") === "no" ? {} : isolation),
      });
      response.end(script ?? `<!doctype html><script type="module" src="${searchParams.get("script")}"></script>`);
    }).listen(0, "localhost");
    const { executablePath, args, env } = installed!;
    browser = await chromium.launch({ executablePath, args: [...args], env: { ...process.env, ...env } as never });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Opens a page that runs `script`; gives its report and its warnings. */
  async function visit(script: string, isolated: "yes" | "no"): Promise<Report & { warnings: string[] }> {
    const page = await browser.newPage();
    const warnings: string[] = [];
    const said = new Promise<string>((resolve, reject) => {
      page.on("pageerror", reject);
      page.on("console", (message) => {
        if (message.type() === "log") resolve(message.text());
        if (message.type() === "warning") warnings.push(message.text());
        if (message.type() === "error") reject(new Error(message.text()));
      });
    });
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://localhost:${port}/page?script=/${script}.js&isolated=${isolated}`);
    const report = JSON.parse(await said) as Report;
    await page.close();
    return { ...report, warnings };
  }

  test.each([
    ["in a page with workers of its own", "some", "yes", []],
    ["in a worker with workers of its own", "worker", "yes", []],
    [
      "in a page that is not isolated: one thread, said once",
      "some",
      "no",
      ["@descent/backend-wasm: using one thread, because the page is not cross-origin isolated."],
    ],
  ] as const)("%s", async (_name, script, isolated, warnings) => {
    const found = await visit(script, isolated);
    expect(found.failures).toEqual([]);
    expect(found.tests).toBeGreaterThan(script === "some" ? 100 : 1000);
    expect(found.evaluates).toBe(false);
    expect(found.warnings).toEqual(warnings);
  });
});
