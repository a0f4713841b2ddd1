import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./bundled.ts";
import type { Report } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "descent-engines-"));
const file = join(folder, "program.mjs");
beforeAll(async () => {
  writeFileSync(file, await program());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The lines of Node that are supported beside the one that runs these tests. */
describe.each(["node-20", "node-22"])("the wasm backend in %s", (name) => {
  const node = join(import.meta.dirname, "../../node_modules", name, "bin/node");
  const there = existsSync(node);
  if (!there) console.warn(`SKIPPED: the wasm backend in ${name}, which is not installed on this platform.`);
  test.runIf(there)("passes the conformance kit, trains, and lets the process end", { timeout: 120_000 }, async () => {
    const { stdout } = await promisify(execFile)(node, [file], { timeout: 110_000 });
    const report = JSON.parse(stdout) as Report;
    expect(report.failures).toEqual([]);
    expect(report.tests).toBeGreaterThan(1000);
  });
});
