import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./bundled.ts";
import type { Report } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "descent-engines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [all, some] = [join(folder, "all.mjs"), join(folder, "some.mjs")];
beforeAll(async () => {
  writeFileSync(all, await program());
  writeFileSync(some, await program("^order"));
});

const installed = (name: string) => join(import.meta.dirname, "../../node_modules", name, "bin/node");

/** The Node that runs these tests has passed the kit elsewhere, and shows here that it ends; the older ones do both. */
describe.each([
  ["Node 20", installed("node-20"), all, 1000],
  ["Node 22", installed("node-22"), all, 1000],
  [`Node ${process.versions.node}`, process.execPath, some, 10],
] as const)("the wasm backend in %s", (name, node, file, least) => {
  const there = existsSync(node);
  if (!there) console.warn(`SKIPPED: the wasm backend in ${name}, which is not installed on this platform.`);
  test.runIf(there)("passes the conformance kit, trains, and lets the process end", { timeout: 120_000 }, async () => {
    const { stdout } = await promisify(execFile)(node, [file], { timeout: 110_000 });
    const report = JSON.parse(stdout) as Report;
    expect(report.failures).toEqual([]);
    expect(report.tests).toBeGreaterThan(least);
  });
});
