import { type Backend, type Buffer, buildGather, buildMap, type Launch, Trace, type Value } from "@descent/backend";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { wasm } from "../wasm.ts";
import { Pool } from "./pool.ts";

let backend: Backend;

const map = (f: (x: Value) => Value) => {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output("float32", "flat", f(trace.input("float32") as Value));
  return buildMap(trace).program;
};
const plusOne = map((x) => x.add(1));
const slow = map((x) => {
  let y = x;
  for (let n = 0; n < 20; n++) y = y.sin();
  return y;
});
const launch = (program: typeof plusOne, source: Buffer, out: Buffer): Launch => ({
  kernel: backend.compile(program),
  args: [source, out].map((buffer) => ({ buffer, offset: 0, strides: [] })),
  shape: [out.length],
  uniforms: [],
  label: "test",
});
const filled = (length: number, value: number): Buffer => {
  const buffer = backend.alloc("float32", length);
  backend.write(buffer, new Float32Array(length).fill(value));
  return buffer;
};

afterEach(() => backend.close());

// A busy machine may take its time: what is timed here is nothing, what could hang is everything.
describe.each(["workers", "slices"] as const)("not blocking, in %s", { timeout: 60_000 }, (how) => {
  beforeEach(() => {
    if (how === "slices") vi.stubGlobal("crossOriginIsolated", false);
    backend = wasm({ threads: how === "slices" ? 1 : 2, blocking: false, memory: { maximum: 512 } });
    vi.unstubAllGlobals();
  });

  test("there is nothing to read at once", () => {
    expect(backend.readSync).toBeUndefined();
  });

  test("the event loop turns while work is done", async () => {
    const [a, b] = [filled(1_000_000, 1), filled(1_000_000, 0)];
    for (let n = 0; n < 2; n++) backend.launch(launch(slow, a, b));
    let turns = 0;
    let done = false;
    const turn = () => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    const [first] = await backend.read(b, 0, 1);
    done = true;
    let expected = 1;
    for (let n = 0; n < 20; n++) expected = Math.sin(expected);
    expect(first).toBeCloseTo(expected, 5); // float32
    // 40 million sines are 80 ms of work at the very least, of which no stretch is longer than 8 ms.
    expect(turns).toBeGreaterThan(5);
  });

  test("memory freed and taken again in a loop that never awaits stays what it was", async () => {
    let x = filled(100_000, 0); // 0.4 MB, of 32 MiB in all
    for (let n = 0; n < 300; n++) {
      const next = backend.alloc("float32", 100_000);
      backend.launch(launch(plusOne, x, next));
      backend.free(x);
      x = next;
    }
    expect((await backend.read(x))[99_999]).toBe(300);
  });

  test("a write waits for what reads the old values", async () => {
    const [a, b, c] = [filled(300_000, 1), filled(300_000, 0), filled(300_000, 0)];
    backend.launch(launch(plusOne, a, b));
    backend.write(a, new Float32Array(300_000).fill(5));
    backend.launch(launch(plusOne, a, c));
    const [first, second] = await Promise.all([backend.read(b, 299_999), backend.read(c, 299_999)]);
    expect([first[0], second[0]]).toEqual([2, 6]);
  });

  test("an index out of range comes with the next read, and only there", async () => {
    const [source, out, other] = [filled(4, 1), filled(2, 7), filled(4, 0)];
    const index = backend.alloc("int64", 2);
    backend.write(index, new Int32Array([0, 9]));
    backend.launch({
      ...launch(plusOne, source, out),
      kernel: backend.compile(buildGather(1, "float32", "int64")),
      args: [
        { buffer: source, offset: 0, strides: [0] },
        { buffer: index, offset: 0, strides: [1] },
        { buffer: out, offset: 0, strides: [] },
      ],
      uniforms: [1, 4],
    });
    backend.launch(launch(plusOne, source, other));
    await expect(backend.read(other)).rejects.toThrow("test: index out of range\n  index  9\n  extent 4");
    expect([...(await backend.read(other))]).toEqual([2, 2, 2, 2]);
    expect([...(await backend.read(out))]).toEqual([7, 7]);
  });

  test("closing ends reads that wait", async () => {
    const [a, b] = [filled(1_000_000, 1), filled(1_000_000, 0)];
    backend.launch(launch(slow, a, b));
    const reading = backend.read(b);
    backend.launch(launch(plusOne, a, b));
    backend.close();
    await expect(reading).rejects.toThrow(/closed/);
    // What was launched and not sent off yet never is: nobody would end it.
    const told = vi.spyOn(Pool.prototype, "start");
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(told).not.toHaveBeenCalled();
    told.mockRestore();
  });
});
