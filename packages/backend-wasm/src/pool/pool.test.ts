import {
  type Backend,
  type Buffer,
  buildContract,
  buildFold,
  buildGather,
  buildMap,
  type Launch,
  type Program,
  Trace,
  type Value,
} from "@descent/backend";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { wasm } from "../wasm.ts";
import { Pool } from "./pool.ts";

let backend: Backend;
beforeAll(() => {
  backend = wasm({ threads: 3 });
});
afterAll(() => backend.close());
afterEach(() => vi.restoreAllMocks());

const launch = (program: Program, shape: readonly number[], buffers: readonly Buffer[], label: string): Launch => ({
  kernel: backend.compile(program),
  args: buffers.map((buffer, k) => ({
    buffer,
    offset: 0,
    strides: program.bindings[k]!.access === "strided" ? strides(program, shape, k) : [],
  })),
  shape,
  uniforms: [],
  label,
});
/** Row-major operands of a plain matrix product. */
const strides = (program: Program, [, n, k]: readonly number[], binding: number): number[] => {
  if (program.kind !== "contract") return [1];
  return binding === 0 ? [k!, 0, 1] : [0, 1, n!];
};

const map = (f: (x: Value, y: Value) => Value): Program => {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output("float32", "flat", f(trace.input("float32") as Value, trace.input("float32") as Value));
  return buildMap(trace).program;
};
const add = map((x, y) => x.add(y));
const filled = (length: number, value: number): Buffer => {
  const buffer = backend.alloc("float32", length);
  backend.write(buffer, new Float32Array(length).fill(value));
  return buffer;
};
const allEqual = (buffer: Buffer, value: number): boolean =>
  (backend.readSync!(buffer) as Float32Array).every((x) => x === value);

describe("lists", () => {
  test.each([10, 1000, 300_000])("of dependent launches over %i elements keep their order", (n) => {
    const buffers = Array.from({ length: 4 }, () => filled(n, 1));
    const [a, b, c, d] = buffers as [Buffer, Buffer, Buffer, Buffer];
    for (let round = 0; round < 20; round++) {
      backend.submit!([
        launch(add, [n], [a, b, c], "c = 2"),
        launch(add, [n], [c, c, d], "d = 4"),
        launch(add, [n], [d, c, c], "c = 6"),
        launch(add, [n], [c, d, d], "d = 10"),
      ]);
      expect(allEqual(c, 6)).toBe(true);
      expect(allEqual(d, 10)).toBe(true);
    }
    for (const buffer of buffers) backend.free(buffer);
  });

  test("of any length are one hand-over", () => {
    const n = 64;
    const [one, sum, other] = [filled(n, 1), filled(n, 0), filled(n, 0)];
    const launches = Array.from({ length: 3000 }, (_, k) =>
      launch(add, [n], k % 2 ? [other, one, sum] : [sum, one, other], "count"),
    );
    const told = vi.spyOn(Pool.prototype, "start");
    backend.submit!(launches);
    expect(told).toHaveBeenCalledTimes(1);
    expect(allEqual(sum, 3000)).toBe(true);
    for (const buffer of [one, sum, other]) backend.free(buffer);
  });

  test("of many updates, as an optimizer makes them, are one hand-over", () => {
    const n = 300;
    const targets = Array.from({ length: 5000 }, (_, k) => filled(n, k));
    const one = filled(n, 1);
    const launches = targets.map((x) => launch(add, [n], [x, one, x], "update"));
    const told = vi.spyOn(Pool.prototype, "start");
    for (let step = 0; step < 3; step++) backend.submit!(launches);
    expect(told).toHaveBeenCalledTimes(3);
    targets.forEach((x, k) => {
      expect(backend.readSync!(x)[n - 1]).toBe(k + 3);
      backend.free(x);
    });
    backend.free(one);
  });

  test("of independent launches of every kind agree with one thread", () => {
    const n = 300;
    const product = () => {
      const trace = new Trace({ kind: "contract", rank: 2 });
      trace.bind("float32", "strided", "read");
      trace.bind("float32", "strided", "read");
      trace.output("float32", "flat", trace.accumulator("f32").add(1));
      return buildContract(trace, { batch: 0, rows: 1, cols: 1, inner: 1 }).program;
    };
    const total = () => {
      const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
      trace.output("float32", "row", (trace.input("float32") as Value).sum());
      return buildFold(trace).program;
    };
    const [x, y, z, rows] = [filled(n * n, 0.5), filled(n * n, 2), filled(n * n, 0), filled(n, 0)];
    backend.submit!([launch(product(), [n, n, n], [x, y, z], "product"), launch(total(), [n, n], [z, rows], "total")]);
    expect(allEqual(z, n + 1)).toBe(true);
    expect(allEqual(rows, n * (n + 1))).toBe(true);
    for (const buffer of [x, y, z, rows]) backend.free(buffer);
  });

  test("end at an index out of range, before it writes", () => {
    const n = 100_000;
    const [source, out] = [filled(n, 1), filled(n, 5)];
    const index = backend.alloc("int64", n);
    backend.write(index, new Int32Array(n).fill(3).fill(n, n - 1));
    const gather = {
      ...launch(buildGather(1, "float32", "int64"), [n], [source, index, out], "gather"),
      args: [
        { buffer: source, offset: 0, strides: [0] },
        { buffer: index, offset: 0, strides: [1] },
        { buffer: out, offset: 0, strides: [] },
      ],
      uniforms: [1, n],
    };
    expect(() =>
      backend.submit!([gather, launch(add, [n], [out, out, source], "after")]),
    ).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: gather: index out of range
        index  100000
        extent 100000
      Indices run from 0 to 99999.]
    `);
    expect(allEqual(out, 5)).toBe(true);
    expect(allEqual(source, 1)).toBe(true);
    backend.write(index, new Int32Array(n).fill(3));
    backend.submit!([gather]);
    expect(allEqual(out, 1)).toBe(true);
    for (const buffer of [source, out, index]) backend.free(buffer);
  });
});

test("memory that grows while workers exist stays shared with them", () => {
  const n = 2_000_000;
  const buffers = Array.from({ length: 12 }, (_, k) => filled(n, k));
  for (let k = 0; k + 2 < buffers.length; k += 3) backend.launch(launch(add, [n], buffers.slice(k, k + 3), "add"));
  for (let k = 2; k < buffers.length; k += 3) expect(allEqual(buffers[k]!, 2 * k - 3)).toBe(true);
  for (const buffer of buffers) backend.free(buffer);
});
