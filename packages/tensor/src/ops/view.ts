import { contiguousStrides, DescentError, type Shape, sizeOf } from "@descent/backend";
import { checkShape, sameShape, showShape } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { contiguous } from "./contiguous.ts";

/** Fills in the one −1 of a requested shape. */
export function inferShape(operation: string, shape: Shape, size: number): number[] {
  const open = shape.indexOf(-1);
  const known = shape.reduce((product, extent, axis) => (axis === open ? product : product * extent), 1);
  const filled = shape.map((extent, axis) => (axis === open ? (known === 0 ? 0 : size / known) : extent));
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

/** The same elements in another shape: a view where the layout allows, else a copy. One extent may be −1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferShape("reshape", shape, x.size);
  if (sameShape(target, x.shape)) return x;
  const strides = viewStrides(x, target);
  if (strides === null) return reshape(contiguous(x), target);
  const view = x.make(x.storage, target, strides, x.offset);
  return record("reshape", [x], view, (g) => [reshape(g, x.shape)]);
}
