import { buildFold } from "../build.ts";
import type { DType } from "../dtype.ts";
import { valueType } from "../dtype.ts";
import { sizeOf } from "../layout.ts";
import type { Reducer } from "../program.ts";
import { Trace } from "../trace.ts";
import type { Value } from "../value.ts";
import type { Case } from "./case.ts";
import type { Tolerance } from "./compare.ts";
import { blank, type Lab } from "./lab.ts";
import { lengths } from "./map-cases.ts";
import { plain, randoms } from "./values.ts";

const reducers: readonly Reducer[] = ["sum", "prod", "max", "min", "argmax", "argmin"];

/** What a reassociated sum or product may differ by: relative to what it would be with every number positive. */
const tolerances: Partial<Record<Reducer, Tolerance>> = {
  sum: { relative: 2e-6, of: "magnitude" },
  prod: { relative: 1e-5, of: "element" },
};

interface Layout {
  readonly shape: readonly number[];
  readonly reduced: number;
  readonly strides: readonly number[];
  readonly offset?: number;
}

/** Folds a strided operand with one reducer. */
function fold(lab: Lab, reducer: Reducer, dtype: DType, layout: Layout, data: readonly number[]): Promise<void> {
  const { shape, reduced, strides, offset = 0 } = layout;
  const trace = new Trace({ kind: "fold", rank: shape.length, reduced });
  const x = trace.input(dtype, "strided") as Value;
  const place = reducer.startsWith("arg");
  trace.output(place ? "int64" : dtype, "row", x.fold(reducer));
  const rows = sizeOf(shape.slice(0, shape.length - reduced));
  const float = valueType(dtype) === "f32" || valueType(dtype) === "f64";
  return lab.check({
    program: buildFold(trace).program,
    operands: [
      { dtype, data, strides, offset },
      { dtype: place ? "int64" : dtype, data: blank(rows) },
    ],
    shape,
    tolerance: (float && tolerances[reducer]) || {},
  });
}

const layouts: Readonly<Record<string, Layout>> = {
  rows: { shape: [13, 37], reduced: 1, strides: [37, 1] },
  columns: { shape: [37, 13], reduced: 1, strides: [1, 37] },
  "many columns": { shape: [700, 9], reduced: 1, strides: [1, 700] },
  "few rows of few": { shape: [3, 2], reduced: 1, strides: [2, 1] },
  "rows backwards": { shape: [5, 40], reduced: 1, strides: [40, -1], offset: 39 },
  "two folded axes": { shape: [6, 5, 9], reduced: 2, strides: [45, 9, 1] },
  "first and last of three axes": { shape: [7, 4, 11], reduced: 2, strides: [11, 77, 1] },
  "middle of three axes": { shape: [4, 11, 7], reduced: 1, strides: [77, 1, 11] },
  "two kept axes, neither together": { shape: [5, 6, 20], reduced: 1, strides: [1, 5, 30] },
  everything: { shape: [600], reduced: 1, strides: [1] },
  "everything, of two axes": { shape: [20, 30], reduced: 2, strides: [31, 1] },
  "an expanded row": { shape: [4, 9], reduced: 1, strides: [1, 0] },
};

const longest = 6500;

const reducerCases: Case[] = reducers.flatMap((reducer) => [
  ...Object.entries(layouts).map(([name, layout]) => ({
    name: `${reducer} / ${name}`,
    run: (lab: Lab) =>
      fold(lab, reducer, "float32", layout, reducer === "prod" ? randoms(longest, 0.7, 1.4) : randoms(longest)),
  })),
  ...lengths.map((length) => ({
    name: `${reducer} / length ${length}`,
    run: async (lab: Lab) => {
      const data = reducer === "prod" ? randoms(3 * length, 0.9, 1.1) : randoms(3 * length);
      await fold(lab, reducer, "float32", { shape: [3, length], reduced: 1, strides: [length, 1] }, data);
      await fold(lab, reducer, "float32", { shape: [length], reduced: 1, strides: [1] }, data);
    },
  })),
  ...(["float64", "float16", "bfloat16", "int32", "int64", "uint32", "uint8"] as const).map((dtype) => ({
    name: `${reducer} / ${dtype}`,
    run: async (lab: Lab) => {
      const data = plain(dtype, 200);
      const small = reducer === "prod" ? data.map((x) => (x % 3) + (dtype.includes("float") ? 1.25 : 0)) : data;
      // float16 reaches 65504: few enough that nothing overflows.
      await fold(lab, reducer, dtype, { shape: [20, 6], reduced: 1, strides: [6, 1] }, small);
      await fold(lab, reducer, dtype, { shape: [20, 6], reduced: 1, strides: [1, 20] }, small);
    },
  })),
]);

const specialCases: Case[] = (["max", "min", "argmax", "argmin", "sum", "prod"] as const).flatMap((reducer) => {
  const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
  const special: Readonly<Record<string, readonly number[]>> = {
    "NaN first": [nan, 1, 5, 2, 3, 4, 0, 9],
    "NaN last": [1, 5, 2, 3, 4, 0, 9, nan],
    "two NaN": [1, 5, nan, 3, nan, 0, 9, 1],
    "all NaN": [nan, nan, nan, nan, nan, nan, nan, nan],
    infinities: [1, inf, 2, -inf, inf, -inf, 0, 1].map((x) => (reducer === "prod" && x === 0 ? 1 : x)),
    "all -infinity": new Array<number>(8).fill(-inf),
    "all infinity": new Array<number>(8).fill(inf),
    ties: [3, 1, 3, 1, 3, 1, 3, 1],
    huge: [3e38, 1, -3e38, 2, 3, 4, 5, 6].map(Math.fround),
  };
  return Object.entries(special)
    .filter(([name]) => !(reducer === "prod" && name === "huge"))
    .map(([name, row]) => ({
      name: `${reducer} / ${name}`,
      run: async (lab: Lab) => {
        // The row alone, and among ordinary ones: along memory, then across it.
        const rows = [randoms(8, 0, 1, 5), row, randoms(8, 0, 1, 6)];
        const along = rows.flat();
        const across = row.flatMap((_, i) => rows.map((one) => one[i] as number));
        const wide = Array.from({ length: 8 }, (_, i) =>
          Array.from({ length: 40 }, (_, k) => (k === 33 ? row[i] : i / 8) as number),
        );
        await fold(lab, reducer, "float32", { shape: [8], reduced: 1, strides: [1] }, row);
        await fold(lab, reducer, "float32", { shape: [3, 8], reduced: 1, strides: [8, 1] }, along);
        await fold(lab, reducer, "float32", { shape: [3, 8], reduced: 1, strides: [1, 3] }, across);
        await fold(lab, reducer, "float32", { shape: [40, 8], reduced: 1, strides: [1, 40] }, wide.flat());
      },
    }));
});

const integerExtremes: Case = {
  name: "integer extremes and wrapping",
  run: async (lab) => {
    const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
    for (const reducer of reducers) {
      const layout: Layout = { shape: [2, 4], reduced: 1, strides: [4, 1] };
      await fold(lab, reducer, "int32", layout, [low, high, low, high, high, high, 65537, 65539]);
      await fold(lab, reducer, "uint32", layout, [0, 2 ** 32 - 1, 2 ** 31, 1, 2 ** 32 - 1, 2 ** 32 - 1, 3000000000, 7]);
    }
  },
};

const longSum: Case = {
  name: "a long sum keeps its precision",
  run: async (lab) => {
    const data = new Array<number>(100_003).fill(Math.fround(0.1));
    const trace = new Trace({ kind: "fold", rank: 1, reduced: 1 });
    const sum = (trace.input("float32") as Value).sum();
    trace.output("float32", "row", sum);
    const operands = [data, blank(1)].map((own) => ({ dtype: "float32" as const, data: own }));
    await lab.check({ program: buildFold(trace).program, operands, shape: [100_003], tolerance: { relative: 1e-6 } });
  },
};

export const foldCaseList: readonly Case[] = [...reducerCases, ...specialCases, integerExtremes, longSum];
