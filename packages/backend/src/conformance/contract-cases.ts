import { buildContract, type ContractAxes } from "../build.ts";
import { type DType, valueType } from "../dtype.ts";
import { sizeOf } from "../layout.ts";
import { Trace } from "../trace.ts";
import type { Case } from "./case.ts";
import type { Tolerance } from "./compare.ts";
import { blank, type Lab, type Operand } from "./lab.ts";
import { plain, randoms } from "./values.ts";

/** A sum of products may be taken in any order and in single precision; relative to Σ |left · right|. */
const tolerance: Tolerance = { relative: 3e-6, of: "magnitude" };

export const simple: ContractAxes = { batch: 0, rows: 1, cols: 1, inner: 1 };

interface Product {
  readonly axes: ContractAxes;
  readonly shape: readonly number[];
  readonly left: Operand;
  readonly right: Operand;
  readonly out?: DType;
}

/** A product without an epilogue. */
function multiply(lab: Lab, { axes, shape, left, right, out = "float32" }: Product): Promise<void> {
  const rank = axes.batch + axes.rows + axes.cols;
  const trace = new Trace({ kind: "contract", rank });
  trace.bind(left.dtype, "strided", "read");
  trace.bind(right.dtype, "strided", "read");
  trace.output(out, "flat", trace.accumulator(valueType(out)));
  const exact = valueType(out) === "i32" || valueType(out) === "u32";
  return lab.check({
    program: buildContract(trace, axes).program,
    operands: [left, right, { dtype: out, data: blank(sizeOf(shape.slice(0, rank))) }],
    shape,
    tolerance: exact ? {} : out === "float64" ? { relative: 1e-14, of: "magnitude" } : { ...tolerance, ulp: 1 },
  });
}

type Transposition = "NN" | "NT" | "TN" | "TT";
const transpositions: readonly Transposition[] = ["NN", "NT", "TN", "TT"];

/** The operands of an m × n product over k, each as it is or transposed. */
export function operands(
  how: Transposition,
  m: number,
  n: number,
  k: number,
  dtype: DType = "float32",
): { left: Operand; right: Operand } {
  const numbers = (count: number, seed: number) =>
    dtype === "float32" ? randoms(count, -4, 4, seed) : plain(dtype, count, seed);
  return {
    left: { dtype, data: numbers(m * k, 1), strides: how[0] === "T" ? [1, 0, m] : [k, 0, 1] },
    right: { dtype, data: numbers(k * n, 2), strides: how[1] === "T" ? [0, k, 1] : [0, 1, n] },
  };
}

const sizes: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [1, 1, 127],
  [2, 3, 4],
  [4, 4, 4],
  [3, 5, 7],
  [8, 8, 8],
  [16, 16, 16],
  [17, 9, 33],
  [1, 131, 40],
  [129, 1, 40],
  [2, 67, 19],
  [67, 3, 19],
  [5, 6, 1],
  [4, 4, 1003],
  [65, 67, 31],
  [130, 140, 20],
];

const sizeCases: Case[] = transpositions.flatMap((how) =>
  sizes.map(([m, n, k]) => ({
    name: `${how} / ${m} x ${n} over ${k}`,
    run: (lab) => multiply(lab, { axes: simple, shape: [m, n, k], ...operands(how, m, n, k) }),
  })),
);

const emptyCases: Case[] = [
  [0, 3, 4],
  [3, 0, 4],
  [3, 4, 0],
].map(([m = 0, n = 0, k = 0]) => ({
  name: `empty / ${m} x ${n} over ${k}`,
  run: (lab) => multiply(lab, { axes: simple, shape: [m, n, k], ...operands("NN", m, n, k) }),
}));

const dtypeCases: Case[] = (["float64", "float16", "bfloat16", "int32", "uint32"] as const).flatMap((dtype) =>
  transpositions.map((how) => ({
    name: `${how} / ${dtype}`,
    run: async (lab) => {
      const out = dtype === "float16" || dtype === "bfloat16" ? "float32" : dtype;
      for (const [m, n, k] of [
        [13, 17, 19],
        [1, 20, 9],
        [20, 2, 9],
      ] as const) {
        await multiply(lab, { axes: simple, shape: [m, n, k], ...operands(how, m, n, k, dtype), out });
      }
    },
  })),
);

const random = (count: number, seed: number, strides: readonly number[], offset = 0): Operand => ({
  dtype: "float32",
  data: randoms(count + offset, -2, 2, seed),
  strides,
  offset,
});

const axesCases: Readonly<Record<string, Product>> = {
  batched: {
    axes: { ...simple, batch: 1 },
    shape: [5, 9, 11, 13],
    left: random(5 * 9 * 13, 1, [117, 13, 0, 1]),
    right: random(5 * 13 * 11, 2, [143, 0, 1, 11]),
  },
  "batched, one operand shared": {
    axes: { ...simple, batch: 1 },
    shape: [4, 7, 6, 10],
    left: random(4 * 7 * 10, 1, [70, 10, 0, 1]),
    right: random(60, 2, [0, 0, 1, 6]),
  },
  "many small batches": {
    axes: { ...simple, batch: 2 },
    shape: [6, 5, 3, 2, 4],
    left: random(6 * 5 * 12, 1, [60, 12, 4, 0, 1]),
    right: random(6 * 5 * 8, 2, [8, 48, 0, 4, 1]),
  },
  "two axes each": {
    axes: { batch: 0, rows: 2, cols: 2, inner: 2 },
    shape: [3, 4, 2, 5, 6, 3],
    left: random(12 * 18, 1, [72, 3, 0, 0, 12, 1]),
    right: random(10 * 18, 2, [0, 0, 5, 1, 30, 10]),
  },
  "no rows": {
    axes: { batch: 0, rows: 0, cols: 1, inner: 1 },
    shape: [33, 20],
    left: random(20, 1, [0, 1]),
    right: random(660, 2, [1, 33]),
  },
  "no columns": {
    axes: { batch: 0, rows: 1, cols: 0, inner: 1 },
    shape: [33, 20],
    left: random(660, 1, [20, 1]),
    right: random(20, 2, [0, 1]),
  },
  "a dot product": {
    axes: { batch: 0, rows: 0, cols: 0, inner: 1 },
    shape: [1003],
    left: random(1003, 1, [1]),
    right: random(1003, 2, [1]),
  },
  "an outer product": {
    axes: { batch: 0, rows: 1, cols: 1, inner: 0 },
    shape: [21, 34],
    left: random(21, 1, [1, 0]),
    right: random(34, 2, [0, 1]),
  },
  "only batches": {
    axes: { batch: 1, rows: 0, cols: 0, inner: 1 },
    shape: [31, 7],
    left: random(31 * 7, 1, [7, 1]),
    right: random(31 * 7, 2, [1, 31]),
  },
  "offsets and negative strides": {
    axes: simple,
    shape: [10, 12, 14],
    left: { dtype: "float32", data: randoms(200), strides: [14, 0, -1], offset: 15 },
    right: { dtype: "float32", data: randoms(400, -1, 1, 2), strides: [0, -1, 25], offset: 13 },
  },
  "expanded operands": {
    axes: simple,
    shape: [6, 7, 8],
    left: random(8, 1, [0, 0, 1]),
    right: random(8, 2, [0, 0, 1]),
  },
  "overlapping windows of one axis": {
    // Input of 40 elements in 3 channels, kernels of 5 with a stride of 2.
    axes: { batch: 0, rows: 1, cols: 1, inner: 2 },
    shape: [18, 4, 3, 5],
    left: random(120, 1, [2, 0, 40, 1]),
    right: random(60, 2, [0, 15, 5, 1]),
  },
  "overlapping windows of two axes": {
    // A batch of 2 images of 3 x 9 x 8, kernels of 3 x 3.
    axes: { batch: 0, rows: 3, cols: 1, inner: 3 },
    shape: [2, 7, 6, 5, 3, 3, 3],
    left: random(432, 1, [216, 8, 1, 0, 72, 8, 1]),
    right: random(135, 2, [0, 0, 0, 27, 9, 3, 1]),
  },
  "windows, dilated, in groups": {
    // Two groups of 2 channels, kernels of 3 x 2 with a dilation of 2.
    axes: { batch: 1, rows: 2, cols: 1, inner: 3 },
    shape: [2, 5, 7, 3, 2, 3, 2],
    left: random(4 * 81, 1, [162, 9, 1, 0, 81, 18, 2]),
    right: random(72, 2, [36, 0, 0, 12, 6, 2, 1]),
  },
  "a kernel's gradient": {
    // The same windows, summed over images and positions.
    axes: { batch: 0, rows: 1, cols: 3, inner: 3 },
    shape: [4, 3, 3, 3, 2, 7, 6],
    left: random(336, 1, [42, 0, 0, 0, 168, 6, 1]),
    right: random(432, 2, [0, 72, 8, 1, 216, 8, 1]),
  },
  "an inner axis of many": {
    axes: { batch: 0, rows: 1, cols: 1, inner: 2 },
    shape: [5, 6, 30, 40],
    left: random(6000, 1, [1, 0, 200, 5]),
    right: random(7200, 2, [0, 1200, 1, 30]),
  },
};

export const contractCaseList: readonly Case[] = [
  ...sizeCases,
  ...emptyCases,
  ...dtypeCases,
  ...Object.entries(axesCases).map(([name, product]) => ({ name, run: (lab: Lab) => multiply(lab, product) })),
];
