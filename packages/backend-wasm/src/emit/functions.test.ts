import { buildMap, type DType, type Op, opRow, Trace, type Value } from "@descent/backend";
import { afterAll, describe, expect, test } from "vitest";
import { wasm } from "../wasm.ts";

/** Ranges over which each function is compared with its reference: the usual ones, where it could cancel, and its ends. */
const ranges: Partial<Record<Op, readonly (readonly [number, number])[]>> = {
  exp: [[-80, 80], [-1, 1]],
  expm1: [[-40, 80], [-1, 1], [-1e-5, 1e-5]],
  log: [[0, 1e38], [0.5, 2], [0.99, 1.01], [0, 1e-37]],
  log1p: [[-0.999, 10], [-1e-3, 1e-3]],
  log2: [[0, 100], [0.9, 1.1]],
  sin: [[-1e6, 1e6], [-3.2, 3.2]],
  cos: [[-1e6, 1e6], [-3.2, 3.2]],
  tan: [[-1e6, 1e6], [-1.6, 1.6]],
  asin: [[-1, 1], [-0.01, 0.01]],
  acos: [[-1, 1], [0.99, 1]],
  atan: [[-100, 100], [-1, 1]],
  sinh: [[-80, 80], [-1, 1], [-0.01, 0.01]],
  cosh: [[-80, 80], [-1, 1]],
  tanh: [[-20, 20], [-1, 1], [-0.01, 0.01]],
  asinh: [[-1e30, 1e30], [-2, 2], [-0.01, 0.01]],
  acosh: [[1, 1e30], [1, 2]],
  atanh: [[-1, 1], [-0.01, 0.01]],
  erf: [[-6, 6], [-1, 1], [-0.01, 0.01]],
  erfc: [[-6, 9], [-1, 1]],
}; // biome-ignore format: rows

const backend = wasm({ threads: 1 });
afterAll(() => backend.close());
const count = 1003;
const digits = { float32: 23, float64: 52 } as const;
const unit = (x: number, dtype: "float32" | "float64") =>
  2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), dtype === "float32" ? -126 : -1022) - digits[dtype]);

function evaluate(op: Op, dtype: DType, numbers: Float32Array | Float64Array): Float32Array | Float64Array {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output(dtype, "flat", trace.apply(op, [trace.input(dtype)]) as Value);
  const [x, y] = [backend.alloc(dtype, count), backend.alloc(dtype, count)];
  backend.write(x, numbers);
  const args = [x, y].map((buffer) => ({ buffer, offset: 0, strides: [] }));
  backend.launch({ kernel: backend.compile(buildMap(trace).program), args, shape: [count], uniforms: [], label: op });
  return backend.readSync?.(y) as Float32Array | Float64Array;
}

describe.each(Object.keys(ranges) as Op[])("%s", (op) => {
  const { ulp, reference } = opRow(op);
  // float32: the column of the op table. float64: the references of erf and erfc are themselves off by some 20.
  const most = { float32: ulp, float64: op.startsWith("erf") ? 32 : 8 } as const;
  test.each(["float32", "float64"] as const)("%s is within its units in the last place", (dtype) => {
    for (const [low, high] of ranges[op]!) {
      // The golden ratio spreads numbers evenly, without repeating any.
      const make = (_: unknown, i: number) => low + (high - low) * (((i + 1) * 0.6180339887498949) % 1);
      const numbers =
        dtype === "float32" ? Float32Array.from({ length: count }, make) : Float64Array.from({ length: count }, make);
      const found = evaluate(op, dtype, numbers);
      let worst = 0;
      numbers.forEach((x, i) => {
        const exact = reference(x, 0, 0);
        if (found[i] !== exact) worst = Math.max(worst, Math.abs(found[i]! - exact) / unit(exact, dtype));
      });
      expect(worst, `from ${low} to ${high}`).toBeLessThanOrEqual(most[dtype] + 0.5); // a rounded result, an exact reference
    }
  });
});

test("sin and cos beyond what is reduced, where the engine helps out", () => {
  const numbers = Float32Array.from({ length: count }, (_, i) => (i % 2 ? -1 : 1) * 2 ** (i % 120) * 1.2345);
  for (const op of ["sin", "cos"] as const) {
    const found = evaluate(op, "float32", numbers);
    numbers.forEach((x, i) => {
      expect(Math.abs(found[i]! - Math[op](x))).toBeLessThan(1.3e-7); // 1 unit of float32 below 1
    });
  }
});

test.each(["expm1", "log1p", "sin", "tanh", "tan", "asinh"] as const)(
  "%s keeps the signs of zeros, and what is tiny",
  (op) => {
    const numbers = Float32Array.from({ length: count }, (_, i) => [-0, 0, 1e-30, -1e-30, 1e-44][i % 5]!);
    expect([...evaluate(op, "float32", numbers)]).toEqual([...numbers]);
  },
);
