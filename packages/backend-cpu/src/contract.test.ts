import { buildContract, type ContractAxes, Trace, type Value } from "@descent/backend";
import { expect, test } from "vitest";
import { cpu } from "./cpu.ts";

const axes: ContractAxes = { batch: 0, rows: 1, cols: 1, inner: 1 };
const random = (length: number) => Float32Array.from({ length }, () => Math.random() * 2 - 1);

/** Sizes beyond one block of rows, columns, depth, and beyond what is kept packed. */
test.each([
  [257, 130, 300],
  [129, 259, 513],
  [130, 131, 4500],
  [5, 4, 20_000],
  [3, 5000, 40],
  [9000, 2, 12],
  [1, 9, 70_000],
] as const)("%d x %d over %d, transposed or not, agrees with plain sums", (m, n, k) => {
  const backend = cpu();
  const trace = new Trace({ kind: "contract", rank: 2 });
  trace.bind("float32", "strided", "read");
  trace.bind("float32", "strided", "read");
  const bias = trace.input("float32", "strided") as Value;
  trace.output("float32", "flat", trace.accumulator("f32").add(bias));
  const kernel = backend.compile(buildContract(trace, axes).program);
  const [a, b, c] = [random(m * k), random(k * n), random(n)];
  const buffers = [a, b, c, random(m * n)].map((data) => {
    const buffer = backend.alloc("float32", data.length);
    backend.write(buffer, data);
    return buffer;
  });
  for (const [left, right] of [
    [
      [k, 0, 1],
      [0, 1, n],
    ],
    [
      [1, 0, m],
      [0, k, 1],
    ],
  ] as const) {
    const strides = [left, right, [0, 1], []];
    const args = buffers.map((buffer, i) => ({ buffer, offset: 0, strides: strides[i] as readonly number[] }));
    backend.launch({ kernel, args, shape: [m, n, k], uniforms: [], label: "linear" });
    const got = backend.readSync?.(args[3]!.buffer) as Float32Array;
    let worst = 0;
    // A sample of the elements: along the edges and a few in between.
    for (const row of sample(m)) {
      for (const col of sample(n)) {
        let [sum, size] = [0, 0];
        for (let i = 0; i < k; i++) {
          const term = a[row * left[0] + i * left[2]]! * b[col * right[1] + i * right[2]]!;
          sum += term;
          size += Math.abs(term);
        }
        worst = Math.max(worst, Math.abs(got[row * n + col]! - (sum + c[col]!)) / size);
      }
    }
    expect(worst).toBeLessThan(1e-6);
  }
});

const sample = (length: number): number[] =>
  [0, 1, 3, 4, 127, 128, 129, 131, 255, 256, Math.floor(length / 2), length - 2, length - 1].filter(
    (i) => i >= 0 && i < length,
  );
