import { describe, expect, test } from "vitest";
import type { Backend, Buffer, Launch } from "./backend.ts";
import { buildFold, buildGather, buildMap } from "./build.ts";
import { checked } from "./checked.ts";
import { counted } from "./counted.ts";
import { decorate } from "./decorate.ts";
import { reference } from "./reference.ts";
import { Trace } from "./trace.ts";
import { type LaunchEvent, traced } from "./traced.ts";
import type { Value } from "./value.ts";

/** The interpreter as a backend that cannot wait. */
const asynchronous = (): Backend => {
  const { readSync: _, ...rest } = reference();
  return rest;
};

/** The interpreter with `submit`. */
const submitting = (): Backend => {
  const backend = reference();
  return { ...backend, submit: (launches) => launches.forEach(backend.launch) };
};

const filled = (backend: Backend, numbers: readonly number[]): Buffer => {
  const buffer = backend.alloc("float32", numbers.length);
  backend.write(buffer, Float32Array.from(numbers));
  return buffer;
};

/** A launch of out = f(x) over flat buffers. */
function map(backend: Backend, f: (x: Value) => Value, x: Buffer, out: Buffer, label = "f"): Launch {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output("float32", "flat", f(trace.input("float32") as Value));
  const args = [x, out].map((buffer) => ({ buffer, offset: 0, strides: [] }));
  return { kernel: backend.compile(buildMap(trace).program), args, shape: [x.length], uniforms: [], label };
}

describe("decorate", () => {
  test("has the optional members that the backend has, and no others", () => {
    expect(decorate(reference(), {}).readSync).toBeTypeOf("function");
    expect("submit" in decorate(reference(), {})).toBe(false);
    expect("readSync" in decorate(asynchronous(), {})).toBe(false);
    expect(decorate(submitting(), {}).submit).toBeTypeOf("function");
  });

  test("works around a backend that is a class", async () => {
    class Own {
      readonly inner = reference();
      readonly name = "own";
      readonly limits = this.inner.limits;
      alloc = this.inner.alloc;
      free = this.inner.free;
      write = this.inner.write;
      compile = this.inner.compile;
      read(buffer: Buffer) {
        return this.inner.read(buffer);
      }
      launch(launch: Launch) {
        this.inner.launch(launch);
      }
      close() {
        this.inner.close();
      }
    }
    const backend = decorate(new Own(), {});
    const [x, out] = [filled(backend, [1, 2]), filled(backend, [0, 0])];
    backend.launch(map(backend, (v) => v.add(1), x, out));
    expect([...(await backend.read(out))]).toEqual([2, 3]);
    backend.close();
    expect(() => backend.alloc("float32", 1)).toThrow("closed");
  });
});

test.each([reference, submitting])("traced tells label, kind, shape and time of every launch", (create) => {
  const events: LaunchEvent[] = [];
  const backend = traced(create(), (event) => events.push(event));
  const [x, out] = [filled(backend, [1, 2, 3]), filled(backend, [0, 0, 0])];
  backend.launch(map(backend, (v) => v.neg(), x, out, "neg"));
  backend.submit?.([map(backend, (v) => v.exp(), x, out, "exp"), map(backend, (v) => v.abs(), x, out, "abs")]);
  const told = events.map(({ label, kind, shape }) => ({ label, kind, shape }));
  expect(told.slice(0, 1)).toEqual([{ label: "neg", kind: "map", shape: [3] }]);
  expect(told.map(({ label }) => label)).toEqual(backend.submit ? ["neg", "exp", "abs"] : ["neg"]);
  expect(events.every(({ milliseconds, program }) => milliseconds >= 0 && program.kind === "map")).toBe(true);
});

test("counted counts everything, and again from zero after a reset", async () => {
  const backend = counted(submitting());
  const [x, out] = [filled(backend, [1, 2, 3]), filled(backend, [0, 0, 0])];
  const bytes = backend.alloc("bool", 10);
  const launch = map(backend, (v) => v.neg(), x, out, "neg");
  backend.launch(launch);
  backend.submit?.([launch, { ...launch, label: "again" }]);
  await backend.read(out, 1);
  backend.readSync?.(out, 0, 1);
  backend.free(bytes);
  expect(() => backend.free(bytes)).toThrow();
  expect({ ...backend.counts, labels: [...backend.counts.labels] }).toEqual({
    ...{ launches: 3, submits: 1, compiles: 1, allocs: 3, frees: 1 },
    ...{ reads: 2, writes: 2, readBytes: 12, writtenBytes: 24 },
    ...{ live: 2, liveBytes: 24, peakBytes: 34 },
    labels: [
      ["neg", 2],
      ["again", 1],
    ],
  });
  backend.reset();
  backend.launch(launch);
  expect({ ...backend.counts, labels: [...backend.counts.labels] }).toEqual({
    ...{ launches: 1, submits: 0, compiles: 0, allocs: 0, frees: 0 },
    ...{ reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 },
    ...{ live: 2, liveBytes: 24, peakBytes: 24, labels: [["neg", 1]] },
  });
});

describe("checked", () => {
  test("names the launch that makes a NaN or an infinity", () => {
    const backend = checked(reference());
    const [x, out] = [filled(backend, [1, -1, 0]), filled(backend, [0, 0, 0])];
    backend.launch(map(backend, (v) => v.add(1), x, out));
    expect(() => backend.launch(map(backend, (v) => v.log(), x, out, "log"))).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: log: makes a number that is not finite out of finite ones
        value   NaN
        binding 1
        element 1
        kind    map
        shape   [3]
      Look for a division by zero, a logarithm of zero, or a step that is too large.]
    `);
    expect(() => backend.launch(map(backend, (v) => v.reciprocal(), x, out, "reciprocal"))).toThrow("value   Infinity");
  });

  test("tells where a number that is not finite came from", () => {
    const backend = checked(reference());
    const [x, out] = [filled(backend, [1, Number.NaN]), filled(backend, [0, 0])];
    expect(() => backend.launch(map(backend, (v) => v.add(1), x, out, "add"))).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: add: passes on a number that is not finite
        value        NaN
        binding      1
        element      1
        kind         map
        shape        [2]
        from binding [0]]
    `);
  });

  test("lets infinities pass when told to", () => {
    const backend = checked(reference(), { infinity: false });
    const [x, out] = [filled(backend, [0]), filled(backend, [0])];
    backend.launch(map(backend, (v) => v.log(), x, out, "log"));
    expect(() => backend.launch(map(backend, (v) => v.log().sub(v.log()), x, out, "difference"))).toThrow(
      /^difference/,
    );
  });

  test("throws at the next read where the backend cannot read at once, and names the first of several", async () => {
    const backend = checked(asynchronous());
    const [x, a, b] = [filled(backend, [0, 1]), filled(backend, [0, 0]), filled(backend, [0, 0])];
    backend.launch(map(backend, (v) => v.log(), x, a, "log"));
    backend.launch(map(backend, (v) => v.sub(v), a, b, "sub"));
    await expect(backend.read(x)).rejects.toThrow(/^log: makes a number that is not finite/);
    expect([...(await backend.read(x))]).toEqual([0, 1]); // told once
  });

  test("looks only at what a launch wrote", () => {
    const backend = checked(reference());
    const [x, out] = [filled(backend, [1, 2]), filled(backend, [0, Number.NaN, 0])];
    const launch = map(backend, (v) => v.neg(), x, out);
    backend.launch({ ...launch, shape: [1] });
    expect(() => backend.launch(map(backend, (v) => v.neg(), out, out))).toThrow("passes on");
  });

  test("covers submit", () => {
    const backend = checked(submitting());
    const [x, out] = [filled(backend, [-1]), filled(backend, [0])];
    expect(() => backend.submit?.([map(backend, (v) => v.sqrt(), x, out, "sqrt")])).toThrow(/^sqrt/);
  });
});

describe("a launch that does not fit is found by checked", () => {
  const backend = checked(reference());
  const six = () => filled(backend, [1, 2, 3, 4, 5, 6]);
  const arg = (buffer: Buffer, strides: readonly number[] = [], offset = 0) => ({ buffer, offset, strides });
  const strided = new Trace({ kind: "map", rank: 2 });
  strided.output("float32", "flat", (strided.input("float32", "strided") as Value).mul(strided.hyper(0)));
  const kernel = backend.compile(buildMap(strided).program);
  const base = { kernel, args: [arg(six(), [3, 1]), arg(six())], shape: [2, 3], uniforms: [2], label: "scale" };
  const gather = backend.compile(buildGather(1, "float32", "int32"));
  const fold = new Trace({ kind: "fold", rank: 2, reduced: 1 });
  fold.output(
    "float32",
    "row",
    (fold.input("float32", "stridedRow") as Value).add((fold.input("float32") as Value).sum()),
  );
  const folding = backend.compile(buildFold(fold).program);

  test("and one that fits is run", () => {
    backend.launch(base);
    backend.launch({ ...base, args: [arg(six(), [0, -1], 2), arg(six())] });
    backend.launch({ ...base, args: [arg(six(), [9, 9], 2), arg(six())], shape: [0, 3] });
    backend.launch({ ...base, kernel: folding, args: [arg(six(), [5]), arg(six()), arg(six())], uniforms: [] });
  });

  test.each<[string, Partial<Launch>, string]>([
    ["a missing argument", { args: [arg(six(), [3, 1])] }, "wrong number of arguments"],
    ["a missing axis", { shape: [6] }, "wrong number of axes"],
    ["a missing uniform", { uniforms: [] }, "wrong number of uniforms"],
    ["a missing stride", { args: [arg(six(), [1]), arg(six())] }, "wrong number of strides"],
    ["a flat binding past the end", { args: [arg(six(), [3, 1]), arg(six(), [], 1)] }, "last          6"],
    ["a strided binding past the end", { args: [arg(six(), [4, 1]), arg(six())] }, "last          6"],
    ["a strided binding before the start", { args: [arg(six(), [3, -1], 1), arg(six())] }, "first         -1"],
    [
      "a row too many",
      { kernel: folding, args: [arg(six(), [6]), arg(six()), arg(six())], uniforms: [] },
      "last          6",
    ],
    ["another dtype", { args: [arg(backend.alloc("int32", 6), [3, 1]), arg(six())] }, "buffer of another dtype"],
    [
      "a gather from less than the axis",
      {
        kernel: gather,
        args: [arg(six(), [0]), arg(backend.alloc("int32", 2), [1]), arg(six())],
        shape: [2],
        uniforms: [2, 4],
      },
      "last          6",
    ],
  ])("%s", (_name, change, fault) => {
    expect(() => backend.launch({ ...base, ...change })).toThrow(fault);
  });
});
