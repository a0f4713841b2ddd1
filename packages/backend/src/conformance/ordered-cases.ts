import { buildScan, buildSort } from "../build.ts";
import { type DType, dtypes } from "../dtype.ts";
import type { ScanProgram } from "../program.ts";
import type { Case } from "./case.ts";
import type { Tolerance } from "./compare.ts";
import { blank, type Lab } from "./lab.ts";
import { plain, randomIntegers, randoms } from "./values.ts";

const scanTolerance: Partial<Record<ScanProgram["reducer"], Tolerance>> = {
  sum: { ulp: 1, relative: 2e-6, of: "magnitude" },
  prod: { ulp: 1, relative: 1e-5 },
};

const scanLayouts: Readonly<Record<string, { shape: readonly number[]; strides: readonly number[] }>> = {
  lines: { shape: [5, 67], strides: [67, 1] },
  "across memory": { shape: [6, 50], strides: [1, 6] },
  "one long line": { shape: [1003], strides: [1] },
  "three axes": { shape: [3, 4, 9], strides: [1, 27, 3] },
  "lines of one": { shape: [7, 1], strides: [1, 1] },
  "no lines": { shape: [0, 4], strides: [4, 1] },
  "empty lines": { shape: [4, 0], strides: [0, 1] },
};

const scanCases: Case[] = (["sum", "prod", "max", "min"] as const).flatMap((reducer) => {
  const run = (
    lab: Lab,
    dtype: DType,
    shape: readonly number[],
    strides: readonly number[],
    data: readonly number[],
  ) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const indexed = reducer === "max" || reducer === "min";
    const exact = indexed || !dtype.includes("float");
    return lab.check({
      program: buildScan(shape.length, reducer, dtype),
      operands: [
        { dtype, data, strides },
        { dtype, data: blank(size) },
        ...(indexed ? [{ dtype: "int64" as const, data: blank(size) }] : []),
      ],
      shape,
      tolerance: exact ? {} : (scanTolerance[reducer] as Tolerance),
    });
  };
  const nan = Number.NaN;
  const special = [1, 1, 3, nan, 5, nan, 2, 3, 3, 1, 0, 0, Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY, 2];
  return [
    ...Object.entries(scanLayouts).map(([name, { shape, strides }]) => ({
      name: `scan ${reducer} / ${name}`,
      run: (lab: Lab) =>
        run(lab, "float32", shape, strides, reducer === "prod" ? randoms(1003, 0.9, 1.1) : randoms(1003)),
    })),
    ...dtypes
      .filter((dtype) => dtype !== "float32" && (dtype !== "bool" || reducer === "max" || reducer === "min"))
      .map((dtype) => ({
        name: `scan ${reducer} / ${dtype}`,
        run: (lab: Lab) =>
          run(
            lab,
            dtype,
            [6, 5],
            [5, 1],
            plain(dtype, 30).map((x) => (reducer === "prod" ? (x % 3) + 1 : x)),
          ),
      })),
    {
      name: `scan ${reducer} / NaN, infinities and ties`,
      run: (lab: Lab) => run(lab, "float32", [2, 8], [8, 1], special),
    },
  ];
});

const sortCases: Case[] = [false, true].flatMap((descending) => {
  const name = descending ? "sort descending" : "sort";
  const run = (
    lab: Lab,
    dtype: DType,
    shape: readonly number[],
    strides: readonly number[],
    data: readonly number[],
  ) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const operands = [
      { dtype, data, strides },
      { dtype, data: blank(size) },
      { dtype: "int64" as const, data: blank(size) },
    ];
    return lab.check({ program: buildSort(shape.length, descending, dtype), operands, shape });
  };
  const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
  return [
    ...Object.entries(scanLayouts).map(([where, { shape, strides }]) => ({
      name: `${name} / ${where}`,
      run: (lab: Lab) => run(lab, "float32", shape, strides, randoms(1003)),
    })),
    ...[0, 1, 2, 3, 5, 17, 64, 127, 1003].map((length) => ({
      name: `${name} / length ${length}`,
      run: (lab: Lab) => run(lab, "float32", [length], [1], randomIntegers(length, -9, 9)),
    })),
    ...dtypes.map((dtype) => ({
      name: `${name} / ${dtype}`,
      run: (lab: Lab) => run(lab, dtype, [4, 33], [33, 1], plain(dtype, 132)),
    })),
    {
      name: `${name} / NaN, infinities and ties`,
      run: (lab: Lab) =>
        run(
          lab,
          "float32",
          [3, 7],
          [7, 1],
          [nan, 1, nan, inf, 1, -inf, 0, 3, 2, 2, 3, 2, 3, 2, inf, inf, nan, 0, -0, 0, -1],
        ),
    },
    { name: `${name} / all NaN`, run: (lab: Lab) => run(lab, "float32", [5], [1], [nan, nan, nan, nan, nan]) },
  ];
});

export const orderedCaseList: readonly Case[] = [...scanCases, ...sortCases];
