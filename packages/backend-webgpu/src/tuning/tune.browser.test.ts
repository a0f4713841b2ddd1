import { afterEach, expect, test, vi } from "vitest";
import { type WebgpuBackend, webgpu } from "../index.ts";
import { multiply } from "../testing/programs.ts";
import { recall, remember } from "./cache.ts";
import { shapes } from "./candidates.ts";
import { Choices } from "./choices.ts";

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

/** What a tuner would have found out: a double tile. */
function found(): Choices {
  const choices = new Choices(name);
  choices.chosen.set("f32 f32 1x16x16x16", { shape: { ...shapes.at(-1)!, ahead: 2 }, fill: 1 });
  return choices;
}

test("choices are found again in IndexedDB", async () => {
  const backend = await create();
  expect(await names()).not.toContain(name); // looking for choices makes no database
  expect(await remember(backend.device, found())).toBe(`IndexedDB ${name}`);
  expect(await names()).toContain(name);
  const again = new Choices(name);
  await recall(backend.device, again);
  expect(again.chosen).toEqual(found().chosen);
  // A backend that is opened now has nothing left to tune.
  const later = await create();
  const { tuned, left } = await later.tune(() => multiply(later, 8, 8, 16), { budget: 0 });
  expect([tuned, left]).toEqual([[], []]);
});

test("a database of somebody else's is told of once, and nothing else comes of it", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const opening = indexedDB.open(name, 7);
  await settled(opening);
  opening.result.close();
  const backend = await create();
  expect(await remember(backend.device, found())).toBe(null);
  expect(warn).toHaveBeenCalledTimes(1);
  warn.mockRestore();
});
