import { webgpu } from "@descent/backend-webgpu";
import { use } from "@descent/tensor";
import { afterAll, beforeAll, expect, test } from "vitest";
import { setBackend } from "../prepare.ts";
import { host } from "./host.ts";

// Dawn's null backend runs nothing: what is counted is what a step asks of a GPU.

const backend = await webgpu({ dawn: ["backend=null"] });
beforeAll(async () => {
  await use(backend);
  setBackend(backend);
});
afterAll(() => backend.close());

const tasks = host().map((task) => [task.name, task] as const);

test.each(tasks)("%s: nothing is compiled again, and a replay makes nothing anew", async (name, task) => {
  const { run, settle, dispose } = await task.descent();
  for (let i = 0; i < 6; i++) run();
  await settle!();
  const before = backend.counts;
  run();
  await settle!();
  const { submits, writes, dispatches, groups, compiled } = backend.counts;
  expect(compiled - before.compiled).toBe(0);
  // Eager steps find the same memory only after a while; replays have it from the first on.
  if (name.endsWith("captured")) expect(groups - before.groups).toBe(0);
  expect(writes - before.writes).toBe(submits - before.submits);
  expect(submits - before.submits).toBeLessThanOrEqual(4);
  expect(dispatches - before.dispatches).toBeLessThan(64);
  const profile = await backend.profile(async () => void run());
  expect(profile.events.length).toBeGreaterThanOrEqual(dispatches - before.dispatches);
  expect(JSON.parse(profile.chromeTrace()).traceEvents).toHaveLength(profile.events.length);
  dispose?.();
});
