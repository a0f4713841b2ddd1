import { type Buffer, buildGather } from "@descent/backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type WebgpuBackend, webgpu } from "./index.ts";
import { affine, filled, increment, launchOf } from "./testing/programs.ts";

let backend: WebgpuBackend;
beforeAll(async () => {
  backend = await webgpu();
});
afterAll(() => backend.close());

const first = async (buffer: Buffer): Promise<number> => (await backend.read(buffer, 0, 1))[0] as number;
/** What was counted meanwhile. */
async function counting(work: () => Promise<unknown>): Promise<WebgpuBackend["counts"]> {
  const before = backend.counts;
  await work();
  const now = Object.entries(backend.counts).map(([name, count]) => [
    name,
    count - before[name as keyof typeof before],
  ]);
  return Object.fromEntries(now) as WebgpuBackend["counts"];
}

describe("batches", () => {
  test("a thousand small parameters take 16 dispatches, handed over in pieces of one pass", async () => {
    const add = increment(backend);
    const parameters = Array.from({ length: 1000 }, (_, i) => filled(backend, Float32Array.of(i, 0, 0)));
    const counts = await counting(async () => {
      for (const parameter of parameters) backend.launch(add(parameter));
      await first(parameters[999] as Buffer);
    });
    expect(counts).toMatchObject({ submits: 4, dispatches: 16, passes: 4, writes: 4 });
    expect(await Promise.all([0, 500, 999].map((i) => first(parameters[i] as Buffer)))).toEqual([1, 501, 1000]);
    for (const parameter of parameters) backend.free(parameter);
  });

  test("reads side by side share a submit", async () => {
    const add = increment(backend);
    const buffers = [1, 2, 3].map((x) => filled(backend, Float32Array.of(x)));
    const counts = await counting(async () => {
      for (const buffer of buffers) backend.launch(add(buffer));
      expect(await Promise.all(buffers.map(first))).toEqual([2, 3, 4]);
    });
    expect(counts).toMatchObject({ submits: 1, dispatches: 1, passes: 1, writes: 1 });
    for (const buffer of buffers) backend.free(buffer);
  });

  test("a list that was submitted goes along with the read", async () => {
    const twice = affine(backend);
    const [a, b] = [filled(backend, Float32Array.of(1)), filled(backend, Float32Array.of(0))];
    const counts = await counting(async () => {
      backend.submit([twice(a, b, 1), twice(b, a, 1)]);
      expect(await first(a)).toBe(7);
    });
    expect(counts.submits).toBe(1);
    for (const buffer of [a, b]) backend.free(buffer);
  });

  test("a list that comes again makes nothing anew: one submit, one pass, one write of parameters", async () => {
    const twice = affine(backend);
    const buffers = Array.from({ length: 41 }, (_, i) => filled(backend, new Float32Array(i + 1)));
    const list = buffers.slice(1).map((buffer, i) => twice(buffers[i]!, buffer, i));
    backend.submit(list);
    await first(buffers[40]!);
    for (let replay = 0; replay < 3; replay++) {
      const counts = await counting(async () => {
        backend.submit(list);
        await first(buffers[40]!);
      });
      expect(counts).toEqual({ submits: 1, passes: 1, dispatches: 40, writes: 1, groups: 0, compiled: 0 });
    }
    for (const buffer of buffers) backend.free(buffer);
  });

  test("many launches over one buffer", async () => {
    const add = increment(backend);
    const buffer = filled(backend, Float32Array.of(0));
    const launch = add(buffer);
    const counts = await counting(async () => {
      for (let i = 0; i < 10_000; i++) backend.launch(launch);
      expect(await first(buffer)).toBe(10_000);
    });
    // A piece ends with what waited when it had 64 dispatches.
    expect(counts.submits).toBe(Math.ceil(10_000 / 65));
    backend.free(buffer);
  });

  test("a write in between waits its turn", async () => {
    const twice = affine(backend);
    const [a, b] = [filled(backend, Float32Array.of(1)), filled(backend, Float32Array.of(0))];
    backend.launch(twice(a, b, 0));
    backend.write(a, Float32Array.of(10));
    const second = backend.alloc("float32", 1);
    backend.launch(twice(a, second, 0));
    expect(await Promise.all([b, second].map(first))).toEqual([2, 20]);
    for (const buffer of [a, b, second]) backend.free(buffer);
  });
});

test("more workgroups than one axis of a dispatch holds", async () => {
  const length = 2 ** 24 + 1000;
  const table = filled(backend, Float32Array.of(5));
  const index = filled(backend, Int32Array.of(0), "int64");
  const output = backend.alloc("float32", length);
  const kernel = backend.compile(buildGather(1, "float32", "int64"));
  backend.launch(launchOf(kernel, [table, index, output], [length], { strides: [[0], [0]], uniforms: [1, 1] }));
  expect([...(await backend.read(output, length - 3))]).toEqual([5, 5, 5]);
  for (const buffer of [table, index, output]) backend.free(buffer);
});

describe("memory", () => {
  test("10,000 steps of a bare loop take no more than the first", async () => {
    const twice = affine(backend);
    const source = filled(backend, new Float32Array(1000));
    let before = backend.memory.buffers;
    for (let step = 0; step < 10_000; step++) {
      const out = backend.alloc("float32", 1000);
      backend.launch(twice(source, out, 1));
      backend.free(out);
      if (step === 10) before = backend.memory.buffers;
      if (step % 1000 === 0) await first(source);
    }
    expect(backend.memory.buffers).toBe(before);
    backend.free(source);
  });

  test("live bytes are counted, and what stays idle goes back to the device", async () => {
    const { liveBytes, pooledBytes } = backend.memory;
    const buffers = Array.from({ length: 8 }, () => backend.alloc("float32", 2 ** 16));
    expect(backend.memory.liveBytes - liveBytes).toBe(8 * 2 ** 18);
    for (const buffer of buffers) backend.free(buffer);
    expect(backend.memory.liveBytes).toBe(liveBytes);
    expect(backend.memory.pooledBytes).toBeGreaterThanOrEqual(pooledBytes);
    const small = filled(backend, Float32Array.of(1));
    for (let i = 0; i < 550; i++) await first(small);
    expect(backend.memory.pooledBytes).toBeLessThan(2 ** 18);
    backend.free(small);
  });

  test("what exceeds the pool's limit goes back at once", async () => {
    const tight = await webgpu({ poolBytes: 0 });
    const buffer = filled(tight, new Float32Array(1000));
    tight.free(buffer);
    expect(tight.memory.pooledBytes).toBe(0);
    await tight.close();
  });
});

test("a warm-up makes pipelines aside, and what it runs has run", async () => {
  const fresh = await webgpu();
  const [add, twice] = [increment(fresh), affine(fresh)];
  const [a, b] = [filled(fresh, Float32Array.of(1)), filled(fresh, Float32Array.of(0))];
  await fresh.warmup(async () => {
    fresh.launch(add(a));
    fresh.launch(twice(a, b, 5));
    expect([...(await fresh.read(b))]).toEqual([9]);
    fresh.write(a, Float32Array.of(20));
    const passing = filled(fresh, Float32Array.of(3));
    fresh.launch(twice(passing, b, 0));
    fresh.free(passing);
    fresh.launch(add(a));
  });
  const { compiled } = fresh.counts;
  expect(compiled).toBe(2);
  fresh.launch(add(a));
  expect([...(await fresh.read(a)), ...(await fresh.read(b))]).toEqual([22, 6]);
  expect(fresh.counts.compiled).toBe(compiled);
  await fresh.close();
});

test("a profile times every dispatch and writes a Chrome trace", async () => {
  const add = increment(backend);
  const buffer = filled(backend, new Float32Array(1000));
  const { events, chromeTrace } = await backend.profile(async () => {
    for (let i = 0; i < 5; i++) backend.launch(add(buffer));
    await first(buffer);
    backend.launch(add(buffer));
  });
  expect(events.map(({ name, kernel }) => `${name} ${kernel}`)).toEqual(new Array(6).fill("increment map"));
  expect(events.every(({ duration }) => duration >= 0)).toBe(true);
  const { traceEvents } = JSON.parse(chromeTrace()) as { traceEvents: { name: string; ph: string }[] };
  expect(traceEvents.map(({ name, ph }) => name + ph)).toEqual(new Array(6).fill("incrementX"));
  expect(await first(buffer)).toBe(6);
  backend.free(buffer);
});
