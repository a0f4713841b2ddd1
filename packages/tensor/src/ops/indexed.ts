import {
  buildGather,
  buildScatter,
  collapse,
  DescentError,
  type GatherProgram,
  type ScatterProgram,
  type Shape,
} from "@descent/backend";
import { commonRuntime } from "../plan.ts";
import { normalizeAxis, showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { fresh } from "./fresh.ts";

/** Runs a gather or scatter over `index`: `indexed` is reached through it along `axis`, `plain` at the same place as it. */
function launch(
  name: string,
  build: (rank: number) => GatherProgram | ScatterProgram,
  indexed: Tensor,
  axis: number,
  index: Tensor,
  plain: Tensor,
): void {
  if (index.size === 0) return;
  const runtime = commonRuntime(name, [indexed, index, plain]);
  const along = indexed.strides.map((stride, k) => (k === axis ? 0 : stride));
  const merged = collapse(index.shape, [along, index.strides, plain.strides]);
  const program = build(merged.shape.length);
  const args = [indexed, index, plain].map((x, k) => ({
    buffer: x.storage.buffer(name),
    offset: x.offset,
    strides: program.bindings[k]?.access === "strided" ? (merged.operands[k] as number[]) : [],
  }));
  // Scatters bind the source third, gathers the (flat) result: either way `plain`.
  const uniforms = [indexed.strides[axis] ?? 0, indexed.shape[axis] ?? 1];
  runtime.launch(runtime.kernel(program), args, merged.shape, uniforms, name);
}

/** `out[…, i, …] = source[…, index[…, i, …], …]`, of index's shape. Records nothing. */
export function gatherOf(name: string, source: Tensor, axis: number, index: Tensor): Tensor {
  const result = fresh(source, index.shape, source.dtype, name);
  launch(name, (rank) => buildGather(rank, source.dtype, index.dtype), source, axis, index, result);
  return result;
}

/** `target[…, index[…, i, …], …] = source[…, i, …]`, or `+=`. Changes `target`, records nothing. */
export function scatterInto(
  name: string,
  mode: ScatterProgram["mode"],
  target: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
): Tensor {
  launch(name, (rank) => buildScatter(rank, mode, target.dtype, index.dtype), target, axis, index, source);
  return target;
}

/** Throws unless `index` holds integers of 32 bits or more. */
export function checkIndexDType(name: string, index: Tensor): void {
  if (["int64", "int32", "uint32"].includes(index?.dtype)) return;
  throw new DescentError("dtype", name, "the index is not of an integer dtype", { index: index?.dtype }, 'Use index.to("int64").'); // biome-ignore format: one line
}

/** Checks an index tensor of as many axes as `x`, no larger than `x` beside `dim`; returns the axis. */
export function checkIndex(name: string, x: Tensor, dim: number, index: Tensor): number {
  checkIndexDType(name, index);
  const axis = normalizeAxis(name, dim, x.ndim);
  const within = (extent: number, k: number) => k === axis || extent <= (x.shape[k] as number);
  if (
    index.size > 0 &&
    (Math.max(1, index.ndim) !== Math.max(1, x.ndim) || (index.ndim === x.ndim && !index.shape.every(within)))
  ) {
    const facts = { dim: axis, tensor: showShape(x.shape), index: showShape(index.shape) };
    throw new DescentError("shape", name, "the index does not fit the tensor", facts, "It has as many axes, none longer but axis dim."); // biome-ignore format: one line
  }
  return axis;
}

/** A vector of indices, seen along axis `axis` of `shape`. */
export function indexAlong(name: string, index: Tensor, shape: Shape, axis: number): Tensor {
  checkIndexDType(name, index);
  if (index.ndim > 1) {
    const hint = "Use gather for an index of more axes.";
    throw new DescentError("shape", name, "the index is not a vector", { index: showShape(index.shape) }, hint);
  }
  if (shape.length === 0 && index.size !== 1) {
    const hint = "Pass one index, or a tensor with axes.";
    throw new DescentError("shape", name, "a tensor without axes has one place", { indices: index.size }, hint);
  }
  const extents = shape.map((extent, k) => (k === axis ? index.size : extent));
  const strides = shape.map((_, k) => (k === axis ? (index.strides[0] ?? 0) : 0));
  return index.make(index.storage, extents, strides, index.offset);
}
