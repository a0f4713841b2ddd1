import { backendUnderTest, under } from "backend-under-test";
import { loadFixtureFile } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import * as ops from "./index.ts";
import { type DType, isDescentError, type Tensor, use } from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

type Outcome = DType | "error";
/** Rows are the dtype of the first operand, columns of the second, both in the order of `dtypes`. */
type Row = { readonly op: string; readonly table?: Readonly<Record<string, Outcome[]>> } & Readonly<
  Record<string, unknown>
>;
const recorded = loadFixtureFile<{ dtypes: DType[]; cases: Row[] }>("promotion");
const holds = (dtype: unknown) => under.float64 || dtype !== "float64";
/** What is recorded of the dtypes that the backend has: row by row, or column by column within a row. */
const held = <T>(list: readonly T[]): T[] => list.filter((_, i) => holds(recorded.dtypes[i]));
const dtypes = held(recorded.dtypes);
const { cases } = recorded;

const f = ops as unknown as Record<string, (...args: unknown[]) => Tensor | { values: Tensor }>;
const make = (dtype: DType, axes: number) => ops.ones(new Array(axes).fill(2), { dtype });

function outcome(run: () => Tensor | { values: Tensor }): Outcome {
  try {
    const found = run();
    return "values" in found ? found.values.dtype : found.dtype;
  } catch (error) {
    if (isDescentError(error)) return "error";
    throw error;
  }
}

/** What the two operands are, by the name of the table; booleans that are not tensors do not exist here. */
const pairs: Readonly<Record<string, readonly [left: number | "int" | "float", right: number | "int" | "float"]>> = {
  tensorTensor: [1, 1],
  tensorZeroDim: [1, 0],
  zeroDimTensor: [0, 1],
  zeroDimZeroDim: [0, 0],
  tensorInt: [1, "int"],
  zeroDimInt: [0, "int"],
  intTensor: ["int", 1],
  tensorFloat: [1, "float"],
  zeroDimFloat: [0, "float"],
  floatTensor: ["float", 1],
};
const operand = (kind: number | "int" | "float", dtype: DType) =>
  kind === "int" ? 1 : kind === "float" ? 1.5 : make(dtype, kind);

const binary = cases.filter(({ table }) => !table);
describe.each(binary.map((row) => [row.op, row] as const))("%s", (op, row) => {
  const condition = () => ops.full([1], true);
  const call = (a: unknown, b: unknown) => (op === "where" ? ops.where(condition(), a as Tensor, b as Tensor) : f[op]?.(a, b)) as Tensor; // biome-ignore format: one line
  test.each(Object.entries(pairs).filter(([name]) => name in row))("%s", (name, [left, right]) => {
    const both = typeof left === "number" && typeof right === "number";
    const found = dtypes.map((a) => both ? dtypes.map((b) => outcome(() => call(operand(left, a), operand(right, b)))) : outcome(() => call(operand(left, a), operand(right, a)))); // biome-ignore format: one line
    const expected = held(row[name] as (Outcome | Outcome[])[]);
    expect(found).toEqual(expected.map((one) => (Array.isArray(one) ? held(one) : one)));
  });
});

const axis = new Set(["logsumexp", "cumsum", "cumprod", "softmax", "logSoftmax"]);
const single = cases.flatMap(({ table }) => Object.entries(table ?? {}));
test.each(single)("%s", (op, expected) => {
  const more = (x: Tensor) => (axis.has(op) ? [0] : op === "matmul" ? [x] : []);
  const found = dtypes.map((dtype) => {
    const x = make(dtype, 1);
    return outcome(() => f[op]?.(x, ...more(x)) as Tensor);
  });
  expect(found).toEqual(held(expected));
});
