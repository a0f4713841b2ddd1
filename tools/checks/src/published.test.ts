import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packages, root } from "./workspace.ts";

// The tarball is judged, not the folder: package.json differs between the two (publishConfig).
describe.each(packages)("$id, as published", ({ folder }) => {
  let packed: string;
  let tarball: Buffer;

  beforeAll(async () => {
    expect(existsSync(join(folder, "dist")), "npm run build comes first").toBe(true);
    packed = mkdtempSync(join(tmpdir(), "descent-pack-"));
    const pnpm = join(root, "node_modules/.bin/pnpm");
    await promisify(execFile)(pnpm, ["pack", "--pack-destination", packed], { cwd: folder });
    tarball = readFileSync(join(packed, readdirSync(packed)[0] as string));
  }, 60_000);

  afterAll(() => rmSync(packed, { recursive: true, force: true }));

  test("publint has nothing to say", async () => {
    const buffer = Uint8Array.from(tarball).buffer;
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("the types are right for every way to import", { timeout: 60_000 }, async () => {
    const analysis = await checkPackage(createPackageFromTarballData(Uint8Array.from(tarball)));
    expect(analysis).toMatchObject({ types: { kind: "included" }, problems: [] });
  });
});
