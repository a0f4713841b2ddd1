import { contiguousStrides, DescentError, type Shape, sizeOf } from "@descent/backend";
import {
  broadcastStrides,
  checkList,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  showShape,
} from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { contiguous } from "./contiguous.ts";
import { sumToSize } from "./reduce.ts";

/** Fills in the one −1 of a requested shape. */
export function inferShape(operation: string, shape: Shape, size: number): number[] {
  checkList(operation, shape);
  const open = shape.indexOf(-1);
  const known = shape.reduce((product, extent, axis) => (axis === open ? product : product * extent), 1);
  const filled = shape.map((extent, axis) => (axis === open ? (known === 0 ? Number.NaN : size / known) : extent));
  const facts = { from: `${size} elements`, to: showShape(shape) };
  if (filled.some((extent) => !Number.isInteger(extent)) || sizeOf(filled) !== size) {
    throw new DescentError(
      "shape",
      operation,
      "the number of elements does not fit",
      facts,
      "Exactly one extent may be -1, and is then inferred.",
    );
  }
  checkShape(operation, filled);
  return filled;
}

/** Strides that show the same elements as `shape`, when that needs no copy. */
function viewStrides(x: Tensor, shape: Shape): number[] | null {
  if (x.isContiguous) return contiguousStrides(shape);
  const old = x.shape.flatMap((extent, axis) => (extent === 1 ? [] : [{ extent, stride: x.strides[axis] as number }]));
  const strides = new Array<number>(shape.length).fill(1);
  let axis = shape.length - 1;
  for (let last = old.length - 1; last >= 0; ) {
    // A run of old axes that lie end to end must be covered by whole new axes.
    let first = last;
    let run = (old[last] as { extent: number }).extent;
    while (first > 0 && old[first - 1]?.stride === (old[first]?.stride as number) * (old[first]?.extent as number))
      run *= old[--first]?.extent as number;
    let step = old[last]?.stride as number;
    while (run > 1) {
      while (axis >= 0 && shape[axis] === 1) axis--;
      const extent = shape[axis];
      if (extent === undefined || run % extent !== 0) return null;
      strides[axis--] = step;
      step *= extent;
      run /= extent;
    }
    last = first - 1;
  }
  return strides;
}

/** Another layout over the storage of `x`; `back` turns a gradient of the view into one of `x`. */
export const viewOf = (
  name: string,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  back: (g: Tensor) => Tensor,
): Tensor => record(name, [x], x.make(x.storage, shape, strides, offset), (g) => [back(g)]);

function reshaped(operation: string, x: Tensor, shape: Shape, mayCopy: boolean): Tensor {
  const target = inferShape(operation, shape, x.size);
  if (sameShape(target, x.shape)) return x;
  const strides = viewStrides(x, target);
  if (strides) return viewOf(operation, x, target, strides, x.offset, (g) => reshape(g, x.shape));
  if (mayCopy) return reshaped(operation, contiguous(x), target, false);
  const facts = { shape: showShape(x.shape), strides: showShape(x.strides), to: showShape(target) };
  throw new DescentError("shape", operation, "no layout shows these elements in that shape", facts, "Use reshape.");
}

/** The same elements in another shape: a view where the layout allows, else a copy. One extent may be −1. */
export const reshape = (x: Tensor, shape: Shape): Tensor => reshaped("reshape", x, shape, true);

/** As `reshape`, but throws where only a copy would do (torch.Tensor.view). */
export const view = (x: Tensor, shape: Shape): Tensor => reshaped("view", x, shape, false);

/** The axes `startDim` to `endDim` as one. Defaults: 0 and −1, which gives one axis. */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  const first = normalizeAxis("flatten", startDim, x.ndim);
  const last = normalizeAxis("flatten", endDim, x.ndim);
  if (first > last) {
    const facts = { startDim, endDim, axes: x.ndim };
    throw new DescentError("shape", "flatten", "the first axis comes after the last", facts, "Swap them.");
  }
  const merged = sizeOf(x.shape.slice(first, last + 1));
  return reshape(x, [...x.shape.slice(0, first), merged, ...x.shape.slice(last + 1)]);
}

/** Axis `dim` as several axes of extents `sizes`, one of which may be −1. */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  const axis = normalizeAxis("unflatten", dim, x.ndim);
  const inner = inferShape("unflatten", sizes, x.shape[axis] as number);
  return reshape(x, [...x.shape.slice(0, axis), ...inner, ...x.shape.slice(axis + 1)]);
}

/** The axes in another order: axis i of the result is axis `dims[i]` of `x`. A view. */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  checkList("permute", dims);
  const order = dims.map((dim) => normalizeAxis("permute", dim, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== order.length) {
    const facts = { dims: showShape(dims), axes: x.ndim };
    throw new DescentError("shape", "permute", "not an order of the axes", facts, "Name every axis exactly once.");
  }
  const pick = (of: readonly number[]) => order.map((axis) => of[axis] as number);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return viewOf("permute", x, pick(x.shape), pick(x.strides), x.offset, (g) => permute(g, inverse));
}

/** Two axes exchanged. A view. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const [a, b] = [normalizeAxis("transpose", dim0, x.ndim), normalizeAxis("transpose", dim1, x.ndim)];
  return a === b
    ? x
    : permute(
        x,
        [...x.shape.keys()].map((axis) => (axis === a ? b : axis === b ? a : axis)),
      );
}

/** The transpose of a matrix; tensors of fewer axes are given back as they are. */
export function t(x: Tensor): Tensor {
  if (x.ndim <= 2) return x.ndim < 2 ? x : permute(x, [1, 0]);
  const facts = { shape: showShape(x.shape) };
  throw new DescentError("shape", "t", "takes at most two axes", facts, "Use transpose(dim0, dim1) or permute(dims).");
}

/** Axes `source` moved to places `destination`, the others in their order. A view. */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const listed = (dims: number | readonly number[]) => {
    const list = (typeof dims === "number" ? [dims] : dims).map((dim) => normalizeAxis("movedim", dim, x.ndim));
    normalizeAxes("movedim", list, x.ndim); // refuses repetitions
    return list;
  };
  const [from, to] = [listed(source), listed(destination)];
  if (from.length !== to.length) {
    const facts = { source: showShape(from), destination: showShape(to) };
    throw new DescentError("shape", "movedim", "as many axes must leave as arrive", facts, "Pass lists of one length.");
  }
  if (x.ndim === 0) return x;
  const others = [...x.shape.keys()].filter((axis) => !from.includes(axis));
  const order = [...x.shape.keys()].map((place) => {
    const moved = to.indexOf(place);
    return moved >= 0 ? (from[moved] as number) : (others.shift() as number);
  });
  return permute(x, order);
}

/** Drops axes of extent 1: all of them, or those among `dims`. A view. */
export function squeeze(x: Tensor, dims: number | readonly number[] | null = null): Tensor {
  const axes = normalizeAxes("squeeze", dims, x.ndim);
  return reshape(
    x,
    x.shape.filter((extent, axis) => extent !== 1 || !axes.includes(axis)),
  );
}

/** A new axis of extent 1 at place `dim`, from −(axes + 1) to axes. A view. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const axis = normalizeAxis("unsqueeze", dim, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

/** Axes of extent 1 stretched to `shape`, new ones in front; −1 keeps an extent. A view in which elements repeat. */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkList("expand", shape);
  const lead = shape.length - x.ndim;
  const target = shape.map((extent, axis) =>
    extent === -1 && axis >= lead ? (x.shape[axis - lead] as number) : extent,
  );
  const fits = (own: number, axis: number) => own === 1 || own === target[lead + axis];
  if (lead < 0 || !x.shape.every(fits)) {
    const facts = { from: showShape(x.shape), to: showShape(shape) };
    throw new DescentError("shape", "expand", "the shape cannot be stretched so", facts, "Only extents of 1 stretch.");
  }
  checkShape("expand", target);
  if (sameShape(target, x.shape)) return x;
  const strides = broadcastStrides(x.shape, x.strides, target);
  return viewOf("expand", x, target, strides, x.offset, (g) => sumToSize(g, x.shape));
}

/** As `expand` (torch.broadcast_to). */
export const broadcastTo = expand;
