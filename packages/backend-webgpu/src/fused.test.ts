import {
  type Backend,
  type Buffer,
  buildMap,
  type DType,
  hostArray,
  type Mask,
  Trace,
  type Value,
} from "@descent/backend";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebgpuBackend } from "./index.ts";
import { withPages } from "./testing/enough.ts";
import { filled, launchOf } from "./testing/programs.ts";

// Launches over small memory share dispatches through the pages it is part of. What they do is compared with a backend without pages.

let [paged, plain]: WebgpuBackend[] = [];
beforeAll(async () => {
  [paged, plain] = [await withPages(2 ** 19), await withPages(0)];
});
afterAll(() => Promise.all([paged!.close(), plain!.close()]));

/** Two numbers of the launch, a single element, an operand and a running mean: as an optimizer's update has them. */
function update(backend: Backend) {
  const trace = new Trace({ kind: "map", rank: 1 });
  const x = trace.input("float32") as Value;
  const scale = trace.input("float32", "single") as Value;
  const mean = trace.update("float32");
  const next = (mean.value as Value).mul(trace.hyper(0)).add(x.mul(scale));
  trace.store(mean.binding, next);
  trace.output("float32", "flat", next.neg().exp().add(trace.hyper(1)));
  const { program, uniforms } = buildMap(trace);
  const kernel = backend.compile(program);
  return (buffers: readonly Buffer[], numbers: readonly number[], offset = 0, length = buffers[0]!.length - offset) =>
    launchOf(kernel, buffers, [length], {
      uniforms: uniforms([...numbers]),
      label: "update",
      offsets: [offset, 0, offset, offset],
    });
}

const lengths = Array.from({ length: 150 }, (_, i) => [1, 3, 4, 127, 1003, 1024, 1025, 4099][i % 8]! + (i >> 3));
const wave = (length: number, phase: number) => Float32Array.from({ length }, (_, i) => Math.sin(i + phase));

test("150 updates of every length are three dispatches, and bit for bit what they are one by one", async () => {
  const results = await Promise.all(
    [paged!, plain!].map(async (backend) => {
      const launch = update(backend);
      const own = lengths.map((length, i) => [
        filled(backend, wave(length, i)),
        filled(backend, Float32Array.of(i / 7)),
        filled(backend, wave(length, 2 * i)),
        backend.alloc("float32", length),
      ]);
      const before = backend.counts.dispatches;
      for (let step = 0; step < 2; step++) backend.submit(own.map((buffers, i) => launch(buffers, [i / 150, step])));
      const dispatches = backend.counts.dispatches - before;
      const found = await Promise.all(own.flatMap(([, , mean, out]) => [backend.read(mean!), backend.read(out!)]));
      for (const buffer of own.flat()) backend.free(buffer);
      return { dispatches, found };
    }),
  );
  expect(results[0]!.found).toEqual(results[1]!.found);
  // The last few of each step still wait when the next step's begin, which they may not meet.
  expect(results[0]!.dispatches).toBeLessThanOrEqual(6);
});

test("a launch over part of its buffers leaves the rest alone", async () => {
  const launch = update(paged!);
  const make = (x: number) => [0, 1, 2, 3].map((k) => filled(paged!, new Float32Array(k === 1 ? 1 : 40).fill(x)));
  const [a, b] = [make(1), make(2)];
  paged!.submit([launch(a, [1, 5], 8, 7), launch(b, [1, 5], 4, 2)]);
  const [mean, other] = await Promise.all([a, b].map(([, , mean]) => paged!.read(mean!)));
  expect([...mean!]).toEqual(Array.from({ length: 40 }, (_, i) => (i >= 8 && i < 15 ? 2 : 1)));
  expect([...other!]).toEqual(Array.from({ length: 40 }, (_, i) => (i >= 4 && i < 6 ? 6 : 2)));
  for (const buffer of [a, b].flat()) paged!.free(buffer);
});

/** Element types, and a one as their arrays have it. */
const others: [DType, DType, number][] = [
  ["int64", "int32", 1],
  ["bfloat16", "float32", 0x3f80],
  ["bool", "bool", 1],
  ["float16", "float32", 0x3c00],
];
test.each(others)("from %s to %s", async (from, to, one) => {
  const trace = new Trace({ kind: "map", rank: 1 });
  const x = trace.input(from) as Value;
  trace.output(to, "flat", from === "bool" ? (x as unknown as Mask).not() : x.add(x));
  const { program } = buildMap(trace);
  const found = await Promise.all(
    [paged!, plain!].map(async (backend) => {
      const kernel = backend.compile(program);
      const pairs = [7, 1, 12].map((length) => {
        const data = hostArray(from, length);
        for (let i = 1; i < length; i += 2) data[i] = one;
        return [filled(backend, data, from), backend.alloc(to, length)] as const;
      });
      backend.submit(pairs.map(([source, out]) => launchOf(kernel, [source, out], [out.length])));
      const results = await Promise.all(pairs.map(([, out]) => backend.read(out)));
      for (const buffer of pairs.flat()) backend.free(buffer);
      return results;
    }),
  );
  expect(found[0]).toEqual(found[1]);
  expect(new Set(found[0]![2]).size).toBe(2);
});

test("more pages than a dispatch reaches", async () => {
  const launch = update(paged!);
  const big = 2 ** 17;
  const own = Array.from({ length: 24 }, (_, i) => [
    filled(paged!, new Float32Array(big).fill(i)),
    filled(paged!, Float32Array.of(1)),
    filled(paged!, new Float32Array(big)),
    paged!.alloc("float32", big),
  ]);
  paged!.submit(own.map((buffers) => launch(buffers, [1, 0])));
  const last = await Promise.all(own.map(async ([, , mean]) => (await paged!.read(mean!)).at(-1)));
  expect(last).toEqual(own.map((_, i) => i));
  for (const buffer of own.flat()) paged!.free(buffer);
});
