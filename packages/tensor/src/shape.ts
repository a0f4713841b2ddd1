import { DescentError, type Shape } from "@descent/backend";

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** A shape as PyTorch prints it. */
export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** The shape that all of `shapes` broadcast to, aligned at the last axis; an axis of extent 1 stretches. */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    shape.forEach((extent, axis) => {
      const known = result[lead + axis] as number;
      if (extent === known || extent === 1) return;
      if (known !== 1) {
        const facts = Object.fromEntries(shapes.map((s, i) => [`operand ${i + 1}`, showShape(s)]));
        throw new DescentError(
          "shape",
          operation,
          "shapes do not broadcast",
          facts,
          `Axis ${lead + axis} has extents ${known} and ${extent}; they must be equal, or one of them 1.`,
        );
      }
      result[lead + axis] = extent;
    });
  }
  return result;
}

/** Strides under which an operand is seen as `shape`: 0 along the axes that stretch. */
export function broadcastStrides(from: Shape, strides: readonly number[], shape: Shape): number[] {
  const lead = shape.length - from.length;
  return shape.map((extent, axis) => {
    if (axis < lead) return 0;
    return from[axis - lead] === 1 && extent !== 1 ? 0 : (strides[axis - lead] as number);
  });
}

/** `axis` counted from the front; throws when there is no such axis. A tensor without axes has axis 0 and −1, as in PyTorch. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  const span = Math.max(1, rank);
  if (!Number.isInteger(axis) || axis < -span || axis >= span) {
    throw new DescentError(
      "shape",
      operation,
      "no such axis",
      { axis, axes: rank },
      `Axes run from ${-span} to ${span - 1}.`,
    );
  }
  return axis < 0 ? axis + span : axis;
}

/** Several axes, counted from the front, ascending; null means all. Naming one twice throws. */
export function normalizeAxes(
  operation: string,
  axes: number | readonly number[] | null | undefined,
  rank: number,
): number[] {
  if (axes === null || axes === undefined) {
    const all: number[] = [];
    for (let axis = 0; axis < rank; axis++) all.push(axis);
    return all;
  }
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis(operation, axis, rank));
  const distinct = [...new Set(list)].sort((a, b) => a - b);
  if (distinct.length < list.length)
    throw new DescentError("shape", operation, "an axis is named twice", { axes: list }, "Name every axis once.");
  return rank === 0 ? [] : distinct;
}

/** Checks that extents or axes are a list, as they are everywhere here, and not one argument each. */
export function checkList(operation: string, list: readonly number[]): void {
  if (Array.isArray(list)) return;
  const hint = `For example ${operation}([2, 3]) rather than ${operation}(2, 3).`;
  throw new DescentError("argument", operation, "takes an array of numbers", { got: typeof list }, hint);
}

/** Checks extents that a user gave: integers of at least 0. */
export function checkShape(operation: string, shape: Shape): Shape {
  checkList(operation, shape);
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw new DescentError(
        "shape",
        operation,
        "an extent is no size",
        { shape: showShape(shape), extent },
        "Extents are integers of at least 0.",
      );
    }
  }
  return shape;
}
