import { type Access, collapse, contiguousStrides, isContiguous, type Shape, sizeOf } from "@descent/backend";
import { broadcastStrides, sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** The index space of one launch, with the layouts of everything in it; axes are merged where all layouts allow. */
export interface Space {
  /** Extents and, per operand (null: a number) and per result, strides over them; collapsed. */
  readonly shape: readonly number[];
  readonly operands: readonly (readonly number[] | null)[];
  readonly results: readonly (readonly number[])[];
  /** Number of kept axes, for a fold. */
  readonly kept: number;
}

/** Whether the elements of a layout fill one stretch of memory, in whatever order of axes. */
function isDense(shape: Shape, strides: readonly number[]): boolean {
  const axes = strides.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  axes.sort((a, b) => (strides[b] as number) - (strides[a] as number));
  return isContiguous(
    axes.map((axis) => shape[axis] as number),
    axes.map((axis) => strides[axis] as number),
  );
}

/** A tensor as far as its layout goes. */
export type Seen = Pick<Tensor, "shape" | "strides" | "size">;

/** Whether a tensor is one element, seen however often (what `expand` makes of a number). */
export const isOne = ({ size, shape, strides }: Seen): boolean =>
  size === 1 || strides.every((stride, axis) => stride === 0 || shape[axis] === 1);

/** Strides of a fresh result: as the operands' where they all lie alike, else row-major. */
export function resultStrides(operands: readonly (Seen | number)[], shape: Shape): readonly number[] {
  let like: Seen | null = null;
  for (const operand of operands) {
    if (typeof operand === "number" || isOne(operand)) continue;
    if (!sameShape(operand.shape, shape)) return contiguousStrides(shape);
    if (like === null) like = operand;
    else if (!sameShape(like.strides, operand.strides)) return contiguousStrides(shape);
  }
  return like !== null && isDense(like.shape, like.strides) ? like.strides : contiguousStrides(shape);
}

/** The one flat run that everything forms which lies alike, in whatever order of axes; null where something does not. */
function flatSpace(operands: readonly (Seen | number)[], results: readonly Seen[], shape: Shape): Space | null {
  const first = results[0] as Seen;
  const rowMajor = isContiguous(shape, first.strides);
  const alike = (t: Seen) =>
    isOne(t) ||
    (sameShape(t.shape, shape) &&
      (sameShape(t.strides, first.strides) || (rowMajor && isContiguous(shape, t.strides))));
  if (!isDense(shape, first.strides) || !results.every(alike)) return null;
  if (!operands.every((x) => typeof x === "number" || alike(x))) return null;
  const size = sizeOf(shape);
  const stride = (t: Seen) => [isOne(t) && size !== 1 ? 0 : 1];
  return {
    shape: [size],
    operands: operands.map((x) => (typeof x === "number" ? null : stride(x))),
    results: results.map(stride),
    kept: 1,
  };
}

/** Lays out the index space over `shape`; with `dims`, those axes come last and form a row. */
export function indexSpace(
  operands: readonly (Seen | number)[],
  results: readonly Seen[],
  shape: Shape,
  dims: readonly number[] | null,
): Space {
  const flat = dims === null ? flatSpace(operands, results, shape) : null;
  if (flat) return flat;
  const order =
    dims === null
      ? shape.map((_, axis) => axis)
      : [...shape.keys()].filter((axis) => !dims.includes(axis)).concat(dims);
  const kept = dims === null ? order.length : order.length - dims.length;
  const arrange = (strides: readonly number[]) => order.map((axis) => strides[axis] as number);
  const tensors = operands.flatMap((x) => (typeof x === "number" ? [] : [x]));
  const all = [...tensors, ...results].map((t) => arrange(broadcastStrides(t.shape, t.strides, shape)));
  const extents = order.map((axis) => shape[axis] as number);
  const merged = collapse(extents, all, dims === null ? [] : [kept]);
  if (dims !== null && merged.shape.length === merged.fences[0]) {
    merged.shape.push(1); // a row has at least one axis
    for (const strides of merged.operands) strides.push(0);
  }
  let next = 0;
  return {
    shape: merged.shape,
    operands: operands.map((x) => (typeof x === "number" ? null : (merged.operands[next++] as number[]))),
    results: results.map(() => merged.operands[next++] as number[]),
    kept: merged.fences[0] ?? merged.shape.length,
  };
}

/** The cheapest way to reach a layout in the index space; `single` where the one element is common to all. */
export function accessOf(strides: readonly number[], space: Space, single: boolean, perRow: boolean): Access {
  if (single) return "single";
  const kept = space.shape.slice(0, space.kept);
  if (perRow) return isContiguous(kept, strides.slice(0, space.kept)) ? "row" : "stridedRow";
  return isContiguous(space.shape, strides) ? "flat" : "strided";
}

/** Whether an operand is one value per row: it has extent 1 along every folded axis, and a row is longer than that. */
export function isPerRow(t: Seen, shape: Shape, dims: readonly number[]): boolean {
  const lead = shape.length - t.shape.length;
  if (dims.every((axis) => shape[axis] === 1)) return false;
  return dims.every((axis) => axis < lead || t.shape[axis - lead] === 1);
}
