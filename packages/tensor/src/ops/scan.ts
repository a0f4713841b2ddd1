import { buildScan, checkDType, type DType, type ScanProgram, type SortProgram } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { normalizeAxis } from "../shape.ts";
import { record, tapeOf } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { div, mul } from "./arithmetic.ts";
import { eq, gt, logicalAnd } from "./compare.ts";
import { to } from "./copy.ts";
import { fresh } from "./fresh.ts";
import { reversed } from "./join.ts";
import { maskedFill } from "./masked.ts";
import { othersOf } from "./prod.ts";
import { sum, sumType } from "./reduce.ts";
import { spread } from "./scatter.ts";
import { triu } from "./triangle.ts";
import { movedim, reshape, unsqueeze } from "./view.ts";
import { where } from "./where.ts";

/**
 * Runs a program that works along the last axis on `x` with `axis` moved there, and shows its row-major results with the axis
 * back in its place. Records nothing.
 */
export function alongAxis(
  name: string,
  x: Tensor,
  axis: number,
  build: (rank: number) => ScanProgram | SortProgram,
): Tensor[] {
  const bare = x.detach();
  const moved = x.ndim === 0 ? reshape(bare, [1]) : movedim(bare, axis, -1);
  const program = build(moved.ndim);
  const written = program.bindings.filter(({ mode }) => mode === "write");
  const results = written.map(({ dtype }) => fresh(x, moved.shape, dtype, name));
  const arg = (t: Tensor, strides: readonly number[]) => ({
    buffer: t.storage.buffer(name),
    offset: t.offset,
    strides,
  });
  const args = [arg(moved, moved.strides), ...results.map((result) => arg(result, []))];
  if (x.size > 0) x.runtime.launch(x.runtime.kernel(program), args, moved.shape, [], name);
  return results.map((result) => (x.ndim === 0 ? reshape(result, []) : movedim(result, -1, axis)));
}

const scan = (name: string, reducer: ScanProgram["reducer"], x: Tensor, axis: number): Tensor[] =>
  alongAxis(name, x, axis, (rank) => buildScan(rank, reducer, x.dtype));

export interface ScanOptions {
  /** Convert to this dtype first. Default: the tensor's own, and int64 for integers. */
  readonly dtype?: DType;
}

function prepared(name: string, x: Tensor, dim: number, options: ScanOptions): { input: Tensor; axis: number } {
  checkOptions(name, options, ["dtype"]);
  const axis = normalizeAxis(name, dim, x.ndim);
  return { input: to(x, checkDType(name, options.dtype ?? sumType(x))), axis };
}

/** Running sum along `dim` (torch.cumsum). Of integers as int64. */
export function cumsum(x: Tensor, dim: number, options: ScanOptions = {}): Tensor {
  const { input, axis } = prepared("cumsum", x, dim, options);
  return record("cumsum", [input], scan("cumsum", "sum", input, axis)[0] as Tensor, (g) => [sumFromEnd(g, axis)]);
}

/** Running sum from the end: what is added up is seen in reverse, without a copy. */
function sumFromEnd(x: Tensor, axis: number): Tensor {
  const axes = x.ndim === 0 ? [] : [axis];
  const result = reversed(scan("cumsum", "sum", reversed(x, axes), axis)[0] as Tensor, axes);
  return record("sumFromEnd", [x], result, (g) => [cumsum(g, axis)]);
}

/** Running product along `dim` (torch.cumprod). Of integers as int64. The derivative is right at zeros too. */
export function cumprod(x: Tensor, dim: number, options: ScanOptions = {}): Tensor {
  const { input, axis } = prepared("cumprod", x, dim, options);
  const result = scan("cumprod", "prod", input, axis)[0] as Tensor;
  const back = (g: Tensor): Tensor => {
    if (input.ndim === 0 || input.size === 0) return g;
    return tapeOf([g, input]) ? exactProducts(g, input, axis) : divided(g, input, result, axis);
  };
  return record("cumprod", [input], result, (g) => [back(g)], [input, result]);
}

/** Derivative of any order: running products with each element in turn replaced by 1. Takes n² memory. */
function exactProducts(g: Tensor, x: Tensor, axis: number): Tensor {
  const products = triu(cumprod(othersOf(movedim(x, axis, -1)), -1));
  return movedim(sum(mul(products, unsqueeze(movedim(g, axis, -1), -2)), -1), -1, axis);
}

/** Σ g · y / x before the first zero; at it, with 1 in its place; 0 after it. */
function divided(g: Tensor, x: Tensor, y: Tensor, axis: number): Tensor {
  const zero = eq(x, 0);
  const zeros = cumsum(zero, axis);
  const first = logicalAnd(zero, eq(zeros, 1));
  const before = div(sumFromEnd(mul(g, y), axis), maskedFill(x, zero, 1));
  const without = scan("cumprod", "prod", maskedFill(x, first, 1), axis)[0] as Tensor;
  const reached = gt(zeros, 0);
  return where(first, sumFromEnd(maskedFill(mul(g, without), eq(zeros, 0), 0), axis), maskedFill(before, reached, 0));
}

export interface Extremes {
  readonly values: Tensor;
  /** Where along the axis they were found, as int64. */
  readonly indices: Tensor;
}

function extremes(name: string, reducer: "max" | "min") {
  return (x: Tensor, dim: number): Extremes => {
    const axis = normalizeAxis(name, dim, x.ndim);
    const [values, indices] = scan(name, reducer, x, axis) as [Tensor, Tensor];
    record(name, [x], values, (g) => [spread(g, x.shape, axis, indices)]);
    return { values, indices };
  };
}

/** Running maximum along `dim`, and where it was found (torch.cummax). */
export const cummax = extremes("cummax", "max");
/** Running minimum along `dim`, and where it was found (torch.cummin). */
export const cummin = extremes("cummin", "min");
