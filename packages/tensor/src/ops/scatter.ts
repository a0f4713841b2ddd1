import { DescentError, type ScatterProgram, type Shape } from "@descent/backend";
import { normalizeAxis, sameShape, showShape } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { copyOf } from "./copy.ts";
import { fresh, overwrite, zerosOf } from "./fresh.ts";
import { gather, indexSelect } from "./gather.ts";
import { checkIndex, checkIndexDType, indexAlong, scatterInto } from "./indexed.ts";
import { slice } from "./select.ts";
import { expand, unsqueeze } from "./view.ts";

function checkSource(name: string, x: Tensor, source: Tensor, fits: boolean, needed: Shape): void {
  if (source.dtype !== x.dtype) {
    const facts = { tensor: x.dtype, source: source.dtype };
    throw new DescentError("dtype", name, "the source has another dtype", facts, `Use source.to("${x.dtype}").`);
  }
  if (fits) return;
  const facts = { source: showShape(source.shape), needed: showShape(needed) };
  throw new DescentError("shape", name, "the source does not fit the index", facts, "One source element an index.");
}

/** The part of `source` that an index of `shape` reaches. */
function part(name: string, x: Tensor, source: Tensor, shape: Shape): Tensor {
  const fits = source.ndim === shape.length && shape.every((extent, axis) => extent <= (source.shape[axis] as number));
  checkSource(name, x, source, fits, shape);
  return shape.reduce((piece, extent, axis) => slice(piece, axis, 0, extent), source);
}

/** Zeros of `shape`, with `source` added along `axis` at the places in `index`, which has its shape: the gradient of a gather. */
export function spread(source: Tensor, shape: Shape, axis: number, index: Tensor): Tensor {
  const result = scatterInto("spread", "sum", zerosOf(source, shape), axis, index, source);
  return record("spread", [source], result, (g) => [gather(g, axis, index)]);
}

/**
 * `x` with `source` (a tensor, or a number) written along `dim` at the places in `index`: out[index[i, j], j] = source[i, j] for
 * dim 0 (torch.scatter). Where places repeat, the last one stays; the gradient of the others is then not meaningful.
 */
export function scatter(x: Tensor, dim: number, index: Tensor, source: Tensor | number): Tensor {
  const axis = checkIndex("scatter", x, dim, index);
  const value =
    typeof source === "number"
      ? expand(overwrite(fresh(x, [], x.dtype, "scatter"), source), index.shape)
      : part("scatter", x, source, index.shape);
  const result = scatterInto("scatter", "set", copyOf(x), axis, index, value);
  return record("scatter", [x, value], result, (g, [toX, toValue]) => [
    toX ? scatter(g, axis, index, 0) : null,
    toValue ? gather(g, axis, index) : null,
  ]);
}

/** As `scatter`, but added to what is there (torch.scatter_add). */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  const axis = checkIndex("scatterAdd", x, dim, index);
  const value = part("scatterAdd", x, source, index.shape);
  const result = scatterInto("scatterAdd", "sum", copyOf(x), axis, index, value);
  return record("scatterAdd", [x, value], result, (g, [, toValue]) => [g, toValue ? gather(g, axis, index) : null]);
}

/** Writes or adds the slices of `source` to those of `x` along `dim`, at the places in the vector `index`. */
function slices(
  name: string,
  mode: ScatterProgram["mode"],
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
): Tensor {
  const axis = normalizeAxis(name, dim, x.ndim);
  const along = indexAlong(name, index, x.shape, axis);
  checkSource(name, x, source, sameShape(source.shape, along.shape), along.shape);
  return record(name, [x, source], scatterInto(name, mode, copyOf(x), axis, along, source), (g, [toX, toSource]) => [
    !toX ? null : mode === "sum" ? g : indexCopy(g, axis, index, zerosOf(source)),
    toSource ? indexSelect(g, axis, index) : null,
  ]);
}

export interface IndexAddOptions {
  /** Factor of the source. Default: 1. */
  readonly alpha?: number;
}

/** `x` with slice i of `source` added to slice `index[i]` along `dim`; places may repeat (torch.index_add). */
export const indexAdd = (
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  { alpha = 1 }: IndexAddOptions = {},
): Tensor => slices("indexAdd", "sum", x, dim, index, alpha === 1 ? source : mul(source, alpha));

/** `x` with slice i of `source` in the place of slice `index[i]` along `dim` (torch.index_copy). */
export const indexCopy = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  slices("indexCopy", "set", x, dim, index, source);

/** `x` with the slices named by the vector `index` along `dim` filled with `value` (torch.index_fill). */
export function indexFill(x: Tensor, dim: number, index: Tensor, value: number): Tensor {
  const { shape } = indexAlong("indexFill", index, x.shape, normalizeAxis("indexFill", dim, x.ndim));
  return indexCopy(x, dim, index, expand(overwrite(fresh(x, [], x.dtype, "indexFill"), value), shape));
}

/**
 * For every class index a new last axis with a 1 at its place and 0 elsewhere, as int64 (torch.nn.functional.one_hot). Without
 * `numClasses` that is one more than the largest index, which has to be read: only on backends that can wait.
 */
export function oneHot(index: Tensor, numClasses = -1): Tensor {
  checkIndexDType("oneHot", index);
  let classes = numClasses;
  if (classes === -1) {
    if (index.size === 0)
      throw new DescentError("shape", "oneHot", "no index to count the classes by", {}, "Pass numClasses.");
    classes = 1;
    for (const at of index.dataSync()) classes = Math.max(classes, at + 1);
  }
  if (!Number.isInteger(classes) || classes < 1)
    throw new DescentError("argument", "oneHot", "numClasses is no count", { numClasses }, "Pass at least 1.");
  const zeros = zerosOf(index, [...index.shape, classes], "int64");
  const one = overwrite(fresh(index, [], "int64", "oneHot"), 1);
  const places = unsqueeze(index, -1);
  return scatterInto("oneHot", "set", zeros, index.ndim, places, expand(one, places.shape));
}
