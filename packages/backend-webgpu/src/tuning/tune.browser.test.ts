import { afterEach, expect, test, vi } from "vitest";
import { type WebgpuBackend, webgpu } from "../index.ts";
import { fakeClocks } from "../testing/fake-clocks.ts";
import { multiply } from "../testing/programs.ts";

const name = "descent tuning test";
const opened: WebgpuBackend[] = [];

async function create(): Promise<WebgpuBackend> {
  const made = await webgpu({ tuningCache: name });
  opened.push(made);
  return made;
}

const settled = (request: IDBRequest) =>
  new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
  });

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await settled(indexedDB.deleteDatabase(name));
});

const names = async () => (await indexedDB.databases()).map((one) => one.name);
const clocks = fakeClocks({ "32x32x16 4x4 ahead 2": 1 });
const chosen = { products: "f32 f32 1x16x16x16", chosen: "32x32x16 4x4 ahead 2" };

test("choices are found again in IndexedDB", async () => {
  const backend = await create();
  expect(await names()).not.toContain(name); // looking for choices makes no database
  const { tuned, kept } = await backend.tune(() => multiply(backend, 8, 8, 16), clocks);
  expect(tuned).toMatchObject([chosen]);
  expect(kept).toBe(`IndexedDB ${name}`);
  expect(await names()).toContain(name);
  const later = await create();
  expect((await later.tune(() => multiply(later, 8, 8, 16), clocks)).tuned).toEqual([]);
});

test("a database of somebody else's is told of once, and tuning goes on", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const opening = indexedDB.open(name, 7);
  await settled(opening);
  opening.result.close();
  const backend = await create();
  const { tuned, kept } = await backend.tune(() => multiply(backend, 8, 8, 16), clocks);
  expect([tuned.length, kept]).toEqual([1, null]);
  expect(warn).toHaveBeenCalledTimes(1);
  warn.mockRestore();
});
