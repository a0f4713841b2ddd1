/** Extents of the axes of an index space. */
export type Shape = readonly number[];

/** Number of elements of `shape`. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

/** Row-major strides of `shape`, in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(1, shape[axis] as number);
  }
  return strides;
}

/** Whether walking `shape` in row-major order meets the elements one after the other. Axes of extent 1 do not matter. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] as number;
    if (extent === 0) return true;
    if (extent !== 1 && strides[axis] !== step) return false;
    step *= extent;
  }
  return true;
}

/**
 * Merges neighbouring axes that every operand walks as one and drops axes of extent 1, keeping at least one axis; axes on
 * either side of a `fences` entry (the number of the axis that starts a new group) are never merged.
 */
export function collapse(
  shape: Shape,
  operands: readonly (readonly number[])[],
  fences: readonly number[] = [],
): { shape: number[]; operands: number[][]; fences: number[] } {
  const extents: number[] = [];
  const strides: number[][] = operands.map(() => []);
  const starts: number[] = [];
  let open = false; // whether the last kept axis may be merged into
  for (let axis = 0; axis < shape.length; axis++) {
    while (fences[starts.length] === axis) {
      starts.push(extents.length);
      open = false;
    }
    const extent = shape[axis] as number;
    if (extent === 1) continue;
    const last = extents.length - 1;
    if (open && operands.every((own, k) => strides[k]?.[last] === (own[axis] as number) * extent)) {
      extents[last] = (extents[last] as number) * extent;
      operands.forEach((own, k) => {
        (strides[k] as number[])[last] = own[axis] as number;
      });
    } else {
      extents.push(extent);
      operands.forEach((own, k) => {
        (strides[k] as number[]).push(own[axis] as number);
      });
      open = true;
    }
  }
  while (starts.length < fences.length) starts.push(extents.length);
  if (extents.length === 0 && fences.length === 0) {
    extents.push(1);
    for (const own of strides) own.push(0);
  }
  return { shape: extents, operands: strides, fences: starts };
}
