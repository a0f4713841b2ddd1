import { buildFold, Trace, type Value } from "@descent/backend";
import { afterAll, expect, test } from "vitest";
import { wasm } from "../wasm.ts";

const backend = wasm({ threads: 1 });
afterAll(() => backend.close());

/** Softmax along the second axis of `shape`, whose elements lie `strides` apart. */
function softmax(shape: readonly [number, number], strides: readonly number[], x: Float32Array): Float32Array {
  const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
  const value = trace.input("float32", "strided") as Value;
  const e = value.sub(value.amax()).exp();
  trace.output("float32", "strided", e.div(e.sum()));
  const buffers = [backend.alloc("float32", x.length), backend.alloc("float32", x.length)] as const;
  backend.write(buffers[0], x);
  const args = buffers.map((buffer) => ({ buffer, offset: 0, strides }));
  backend.launch({ kernel: backend.compile(buildFold(trace).program), args, shape, uniforms: [], label: "softmax" });
  const result = backend.readSync?.(buffers[1]) as Float32Array;
  for (const buffer of buffers) backend.free(buffer);
  return result;
}

// What is saved from one pass to the next has 1 MiB: of the first two it fits, though only for some columns at a time.
test.each([
  ["rows whose exponentials fit", 3, 1003, true],
  ["columns of which some fit at a time", 403, 1500, false],
  ["a row that is too long", 2, 200_003, true],
  ["columns that are too long", 6, 70_001, false],
] as const)("softmax of %s", (_, rows, width, across) => {
  const strides = across ? [width, 1] : [1, rows];
  const x = Float32Array.from({ length: rows * width }, (_, i) => 4 * Math.sin(i * 1.7) + (i % 7));
  const found = softmax([rows, width], strides, x);
  let worst = 0;
  for (let row = 0; row < rows; row++) {
    const at = (k: number) => row * strides[0]! + k * strides[1]!;
    let sum = 0;
    for (let k = 0; k < width; k++) sum += Math.exp(x[at(k)]!);
    for (let k = 0; k < width; k++) {
      const exact = Math.exp(x[at(k)]!) / sum;
      worst = Math.max(worst, Math.abs(found[at(k)]! - exact) / exact);
    }
  }
  // Subtracting the maximum, exp, sum and quotient: 4 roundings of numbers up to 20, of which exp makes up to 10 units each.
  expect(worst).toBeLessThan(2e-6);
});
