import { expect, test } from "vitest";
import type { Buffer } from "./backend.ts";
import { buildFold, buildMap } from "./build.ts";
import { gradients } from "./derive.ts";
import { print } from "./print.ts";
import { reference } from "./reference.ts";
import { Trace } from "./trace.ts";
import type { Value } from "./value.ts";

const strided = (shape: readonly number[]) => shape;

test("softmax is one program of three passes, and so is its derivative", () => {
  const softmax = (x: Value) => {
    const e = x.sub(x.amax().detach()).exp();
    return e.div(e.sum());
  };
  const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
  const x = trace.input("float32") as Value;
  const g = trace.input("float32") as Value;
  const y = softmax(x);
  trace.output("float32", "flat", y);
  trace.output("float32", "flat", gradients(trace, [y], [g], [x])[0] as Value);
  const { program } = buildFold(trace);
  const backend = reference();
  const args = [
    [1, 2, 3, 0, 0, 1],
    [1, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0],
  ].map((data) => {
    const buffer = backend.alloc("float32", 6);
    backend.write(buffer, new Float32Array(data));
    return { buffer, offset: 0, strides: strided([]) };
  });
  backend.launch({ kernel: backend.compile(program), args, shape: [2, 3], uniforms: [], label: "softmax" });
  const read = (i: number) =>
    Array.from(backend.readSync?.(args[i]?.buffer as never) as Float32Array, (v) => v.toFixed(4));
  expect(read(2)).toEqual(["0.0900", "0.2447", "0.6652", "0.2119", "0.2119", "0.5761"]);
  expect(read(3)).toEqual(["0.0819", "-0.0220", "-0.0599", "-0.0449", "0.1670", "-0.1221"]);
});

test("what depends on hyperparameters alone is computed before the launch", () => {
  const trace = new Trace({ kind: "map", rank: 1 });
  const lr = trace.hyper(0);
  const beta = trace.hyper(1);
  const step = trace.hyper(2);
  const p = trace.update("float32");
  const g = trace.input("float32") as Value;
  trace.store(p.binding, (p.value as Value).sub(g.mul(lr.div(beta.pow(step).complement()))));
  const { program, uniforms } = buildMap(trace);
  expect(uniforms([0.1, 0.9, 2])).toEqual([0.1 / (1 - 0.9 ** 2)]);
  expect(print(program)).toMatchInlineSnapshot(`
    "map (rank 1)
      @0 update flat float32
      @1 read flat float32
      %0 = load @0: f32
      %1 = load @1: f32
      %2 = uniform 0: f32
      %3 = mul %1 %2: f32
      %4 = sub %0 %3: f32
      @0 <- %4"
  `);
});

test("a ruled value has the derivative it is given, at any order", () => {
  const trace = new Trace({ kind: "map", rank: 1 });
  const x = trace.input("float64") as Value;
  const [d] = gradients(trace, [x.sigmoid()], [trace.constant(1, "f64")], [x]);
  const [dd] = gradients(trace, [d as Value], [trace.constant(1, "f64")], [x]);
  trace.output("float64", "flat", d as Value);
  trace.output("float64", "flat", dd as Value);
  const backend = reference();
  const at = [-1000, 0, 2, 1000];
  const buffers = at.map(() => backend.alloc("float64", 4)).slice(0, 3);
  backend.write(buffers[0] as Buffer, Float64Array.from(at));
  const kernel = backend.compile(buildMap(trace).program);
  const args = buffers.map((buffer) => ({ buffer, offset: 0, strides: [] }));
  backend.launch({ kernel, args, shape: [4], uniforms: [], label: "" });
  const s = 1 / (1 + Math.exp(-2));
  expect([...(backend.readSync?.(buffers[1] as Buffer) ?? [])]).toEqual([0, 0.25, s * (1 - s), 0]);
  const second = backend.readSync?.(buffers[2] as Buffer) as Float64Array;
  expect(second[2]).toBeCloseTo(s * (1 - s) * (1 - 2 * s), 15);
});

test("the reciprocal of a host number is a host number", () => {
  const trace = new Trace({ kind: "map", rank: 1 });
  const scale = trace.hyper(0).reciprocal();
  expect(trace.levelOf(scale)).toBe("host");
  trace.output("float64", "flat", (trace.input("float64") as Value).mul(scale));
  expect(buildMap(trace).uniforms([4])).toEqual([0.25]);
});
