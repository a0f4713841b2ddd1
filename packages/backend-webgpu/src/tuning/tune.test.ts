import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type WebgpuBackend, webgpu } from "../index.ts";
import { fakeClocks } from "../testing/fake-clocks.ts";
import { multiply } from "../testing/programs.ts";

// On Dawn's null backend: every candidate is compiled and launched, and a made-up clock says which one is fast.

let folder: string;
const opened: WebgpuBackend[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "descent-tuning-"));
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(() => rm(folder, { recursive: true }));

async function create(tuningCache: string | false): Promise<WebgpuBackend> {
  const made = await webgpu({ dawn: ["backend=null"], tuningCache });
  opened.push(made);
  return made;
}

test("what is fastest is chosen, kept, and found again", async () => {
  const backend = await create(folder);
  const clock = fakeClocks({ "64x64x16 8x4 ahead 1": 2, "64x64x16 8x4 ahead 2": 1 });
  const first = await backend.tune(() => multiply(backend, 256, 256, 64), clock);
  expect(first.tuned).toMatchObject([
    { products: "f32 f32 1x256x256x64", chosen: "64x64x16 8x4 ahead 2", rule: "32x32x16 4x4 ahead 1" },
  ]);
  expect(first.left).toEqual([]);
  const text = await readFile(first.kept as string, "utf8");
  expect(JSON.parse(text)).toMatchObject({ kernels: 1, choices: { "f32 f32 1x256x256x64": "64x64x16 8x4 ahead 2" } });

  // Nothing is left to be done: not here, and not in a later run, which computes that way from the start.
  const nothing = { tuned: [], left: [], kept: null };
  expect(await backend.tune(() => multiply(backend, 250, 250, 63), clock)).toEqual(nothing);
  const later = await create(folder);
  expect(await later.tune(() => multiply(later, 256, 256, 64), clock)).toEqual(nothing);
  expect(await shapeOf(later, 256)).toBe("contract 64 × 64");
  expect(await shapeOf(await create(false), 256)).toBe("contract 32 × 32");
  expect((await later.tune(() => multiply(later, 256, 256, 64), { ...clock, again: true })).tuned).toHaveLength(1);
});

/** Which form a product takes, as a profile has it. */
async function shapeOf(backend: WebgpuBackend, n: number): Promise<string | undefined> {
  const { events } = await backend.profile(() => multiply(backend, n, n, 64));
  return events[0]?.kernel;
}

test("a long inner axis is cut into more parts where that is faster, and halves stay halves", async () => {
  const backend = await create(false);
  const clock = fakeClocks({ "32x32x16 4x4 ahead 1 half": 3, "32x32x16 4x4 ahead 1 fill 4": 3 });
  const { tuned } = await backend.tune(() => {
    multiply(backend, 64, 64, 65536);
    multiply(backend, 4096, 64, 64, "float16");
  }, clock);
  expect(tuned.map(({ products, chosen }) => [products, chosen])).toEqual([
    ["f16 f16 1x4096x64x64", "32x32x16 4x4 ahead 1 half"],
    ["f32 f32 1x64x64x65536", "32x32x16 4x4 ahead 1 fill 4"],
  ]);
});

test("where the rules are best they are kept", async () => {
  const backend = await create(folder);
  const { tuned, kept } = await backend.tune(() => multiply(backend, 64, 64, 64), fakeClocks({}));
  expect(tuned[0]?.chosen).toBe("32x32x16 4x4 ahead 1");
  expect(JSON.parse(await readFile(kept as string, "utf8")).choices["f32 f32 1x64x64x64"]).toBe("rule");
});

test("nothing begins when time is up, and what had none is told", async () => {
  const backend = await create(false);
  let time = 0;
  const clock = { ...fakeClocks({}), now: () => time++ };
  const work = () => multiply(backend, 64, 64, 64);
  expect(await backend.tune(work, { ...clock, budget: 0 })).toEqual({
    ...{ tuned: [], left: ["f32 f32 1x64x64x64"], kept: null },
  });
  await expect(backend.tune(work, { budget: Number.NaN })).rejects.toThrow("the budget is no time");
  expect(backend.memory.liveBytes).toBe(0);
});

test("without a step the usual products are measured, in both kinds of numbers", async () => {
  const backend = await create(false);
  const { tuned, left } = await backend.tune(undefined, { ...fakeClocks({}), budget: 0 });
  expect(tuned).toEqual([]);
  expect(left).toHaveLength(14);
});

test.each([
  ["no JSON", () => "{ broken"],
  ["of another library's", () => '["something", "else"]'],
  ["of other kernels", (good: string) => good.replace('"kernels": 1', '"kernels": 0')],
  ["of another adapter", (good: string) => good.replace(/"adapter": "/, '"adapter": "other ')],
  ["of a shape that there is not", (good: string) => good.replace("64x64x16 8x4", "63x63x16 9x9")],
])("a cache with content %s is ignored and written anew", async (_what, spoil) => {
  const own = await mkdtemp(join(folder, "spoiled-"));
  const backend = await create(own);
  const clock = fakeClocks({ "64x64x16 8x4 ahead 1": 2, "64x64x16 8x4 ahead 2": 1 });
  const { kept } = await backend.tune(() => multiply(backend, 256, 256, 64), clock);
  const good = await readFile(kept as string, "utf8");
  await writeFile(kept as string, spoil(good));
  const later = await create(own);
  expect((await later.tune(() => multiply(later, 256, 256, 64), clock)).tuned).toHaveLength(1);
  expect(await readFile(kept as string, "utf8")).toBe(good);
  expect(await readdir(own)).toHaveLength(1);
});

test("a folder that cannot be written to is told of once, and tuning goes on", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const file = join(folder, "a file");
  await writeFile(file, "");
  for (const turn of [1, 2]) {
    const backend = await create(join(file, "below"));
    const { tuned, kept } = await backend.tune(() => multiply(backend, 64, 64, 64), fakeClocks({}));
    expect([turn, tuned.length, kept]).toEqual([turn, 1, null]);
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0]).toMatch(/^webgpu: choices of tune\(\) could not be (read|kept) \(.*ENOTDIR/);
  warn.mockRestore();
});
