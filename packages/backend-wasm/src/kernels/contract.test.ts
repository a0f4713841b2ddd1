import { type Buffer, buildContract, type DType, hostView, Trace, valueType } from "@descent/backend";
import { afterAll, expect, test } from "vitest";
import { wasm } from "../wasm.ts";

const one = wasm({ threads: 1 });
const two = wasm({ threads: 2 });
afterAll(() => {
  one.close();
  two.close();
});

interface Product {
  readonly m: number;
  readonly n: number;
  /** Extents of the inner axes, and the steps of both operands along them. */
  readonly inner: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly row: number;
  readonly column: number;
  readonly dtype?: DType;
}

const plain = (m: number, n: number, k: number, how: string, dtype: DType = "float32"): Product => ({
  m,
  n,
  inner: [k],
  ...(how[0] === "T" ? { left: [m], row: 1 } : { left: [1], row: k }),
  ...(how[1] === "T" ? { right: [1], column: k } : { right: [n], column: 1 }),
  dtype,
});

/** Offsets of all indices over axes of some extents, in row-major order. */
const offsets = (extents: readonly number[], strides: readonly number[]): number[] =>
  extents.reduce<number[]>(
    (sums, extent, axis) => sums.flatMap((sum) => Array.from({ length: extent }, (_, i) => sum + i * strides[axis]!)),
    [0],
  );

/** Small whole numbers: their products add up without rounding, in any order. */
const whole = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => ((i * 7919 + seed * 104729) % 17) - 8);

const products: readonly (readonly [what: string, product: Product])[] = [
  ["several blocks of rows read where they lie", plain(1100, 9, 70, "NN")],
  ["rows of several inner blocks", plain(7, 30, 2001, "NT")],
  ["blocks of all kinds", plain(540, 24, 1003, "NN")],
  ["packed rows with one left over", plain(601, 13, 700, "TN")],
  ["packed rows with five left over", plain(11, 520, 300, "TT")],
  ["one row, and columns that are neighbours", plain(1, 300, 700, "NN")],
  ["one column, and rows that are neighbours", plain(300, 1, 700, "TN")],
  ["one row or column, read along", plain(1, 1, 700, "NT")],
  ["doubles in several blocks", plain(550, 140, 50, "NN", "float64")],
  ["packed doubles of several inner blocks", plain(9, 11, 1500, "TN", "float64")],
  [
    "rows read in runs of inner indices",
    { m: 10, n: 12, inner: [5, 200], left: [1000, 1], row: 200, right: [200, 1], column: 1000 },
  ],
  [
    "runs longer than an inner block",
    { m: 8, n: 8, inner: [2, 1300], left: [20000, 1], row: 1300, right: [1300, 1], column: 2600 },
  ],
  [
    "runs too short, or that no block divides",
    { m: 9, n: 8, inner: [3, 1009], left: [20000, 1], row: 1009, right: [8, 24], column: 1 },
  ],
];

test.each(products)("a product with %s", (_, { m, n, inner, left, right, row, column, dtype = "float32" }) => {
  const [across, down] = [offsets(inner, left), offsets(inner, right)];
  const a = whole((m - 1) * row + Math.max(...across) + 1, 1);
  const b = whole((n - 1) * column + Math.max(...down) + 1, 2);
  const expected = Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n) * row, (at % n) * column];
    let sum = 0;
    for (let k = 0; k < across.length; k++) sum += a[i + across[k]!]! * b[j + down[k]!]!;
    return sum;
  });
  const trace = new Trace({ kind: "contract", rank: 2 });
  trace.bind(dtype, "strided", "read");
  trace.bind(dtype, "strided", "read");
  trace.output(dtype, "flat", trace.accumulator(valueType(dtype)));
  const { program } = buildContract(trace, { batch: 0, rows: 1, cols: 1, inner: inner.length });
  for (const backend of [one, two]) {
    const buffers = [a, b, new Array<number>(m * n).fill(-1)].map((values): Buffer => {
      const buffer = backend.alloc(dtype, values.length);
      const data = hostView(dtype, new ArrayBuffer(8 * values.length), 0, values.length);
      data.set(values as never);
      backend.write(buffer, data);
      return buffer;
    });
    const strides = [[row, 0, ...left], [0, column, ...right], []];
    const args = buffers.map((buffer, k) => ({ buffer, offset: 0, strides: strides[k]! }));
    const kernel = backend.compile(program);
    backend.launch({ kernel, args, shape: [m, n, ...inner], uniforms: [], label: "product" });
    expect([...(backend.readSync!(buffers[2]!) as Float32Array)]).toEqual(expected);
    for (const buffer of buffers) backend.free(buffer);
  }
});
