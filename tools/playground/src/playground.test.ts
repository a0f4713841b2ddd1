import { chromium as installed } from "browser";
import { type Browser, chromium, type Page } from "playwright";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const found = await installed();
const config = `${import.meta.dirname}/../vite.config.ts`;

describe.skipIf(!found)("the playground in a browser", () => {
  let server: ViteDevServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await createServer({ configFile: config, logLevel: "error", server: { port: 0, host: "127.0.0.1" } });
    await server.listen();
    const { executablePath, args, env } = found as NonNullable<typeof found>;
    browser = await chromium.launch({ executablePath, args: [...args], env: { ...process.env, ...env } as never });
    page = await browser.newPage({ locale: "en-US" });
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
  }, 60_000);

  afterAll(async () => {
    expect(complaints).toEqual([]);
    await browser?.close();
    await server?.close();
  });

  const status = () => page.locator("#status");
  const open = (query: string) => page.goto(`${server.resolvedUrls?.local[0]}?${query}`);

  test("trains, pauses, goes on, and reads what is drawn", { timeout: 90_000 }, async () => {
    await open("backend=wasm&count=2000&epochs=3");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.click("#start");
    await page.waitForFunction(() => /^Step \d/.test(document.getElementById("status")?.textContent ?? ""));
    await page.click("#pause");
    await expect(page.textContent("#pause")).resolves.toBe("Resume");

    // A paused network still answers. A vertical stroke is a one.
    const pad = await page.locator("#pad").boundingBox();
    const [x, y] = [(pad?.x ?? 0) + 140, pad?.y ?? 0];
    await page.mouse.move(x, y + 50);
    await page.mouse.down();
    await page.mouse.move(x, y + 230, { steps: 8 });
    await page.mouse.up();
    await page.waitForSelector("#guesses li");
    expect(await page.locator("#guesses li").count()).toBe(10);

    await page.click("#pause");
    await page.waitForFunction(() => /^test accuracy/.test(document.getElementById("status")?.textContent ?? ""));
    const accuracy = Number(/0\.\d+/.exec((await status().textContent()) ?? "")?.[0]);
    expect(accuracy).toBeGreaterThan(0.8); // chance is 0.1; 2,000 digits are enough for more than 0.8
    expect(await page.locator("#pause").isDisabled()).toBe(true);
    await page.waitForFunction(() => document.querySelector("#guesses .best")?.textContent?.startsWith("1:"));
  });

  test("trains on WebGPU too", { timeout: 120_000 }, async () => {
    await open("backend=webgpu&count=2000&epochs=1");
    await page.click("#start");
    // A software adapter takes its time to compile.
    await page.waitForFunction(
      () => /^Step ([2-9]|1\d)/.test(document.getElementById("status")?.textContent ?? ""),
      undefined,
      {
        timeout: 110_000,
      },
    );
  });

  test("says what went wrong", { timeout: 30_000 }, async () => {
    await page.route("**/train-images-idx3-ubyte*", (route) => route.abort());
    await open("backend=cpu&count=2000&epochs=1");
    await page.click("#start");
    await page.waitForSelector("#status.failed");
    expect(await status().textContent()).toMatch(/fetch/i);
    await page.unroute("**/train-images-idx3-ubyte*");
    complaints.length = 0; // the browser itself complains of the file that was kept from it
  });
});

test.runIf(!found)("the playground is not tested: no Chromium was found", () => {
  console.warn("SKIPPED: the playground's tests need a Chromium.");
});
