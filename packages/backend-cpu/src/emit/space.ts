import type { Binding } from "@descent/backend";
import type { Cursor, Level } from "./loops.ts";

/** The extents, buffers and strides of a launch as constants: `n0` (axis), `b0`, `o0` (binding), `s0_1` (binding, axis). */
export function prologue(
  bindings: readonly Binding[],
  rank: number,
  axes: (binding: Binding, k: number) => number,
): string {
  const lines = Array.from({ length: rank }, (_, axis) => `const n${axis} = shape[${axis}];`);
  bindings.forEach((binding, k) => {
    lines.push(`const a${k} = args[${k}], b${k} = a${k}.buffer.data, o${k} = a${k}.offset;`);
    for (let axis = 0; axis < axes(binding, k); axis++) lines.push(`const s${k}_${axis} = a${k}.strides[${axis}];`);
  });
  return lines.join("\n");
}

export const levels = (axes: readonly number[]): Level[] =>
  axes.map((axis) => ({ index: `i${axis}`, extent: `n${axis}` }));

/** The product of extents as JavaScript. */
export const product = (axes: readonly number[]): string => axes.map((axis) => `n${axis}`).join(" * ") || "1";

/** What a row-major count over `axes` grows by when an axis advances; `walked` are the axes of the loops, in their order. */
export const countingSteps = (axes: readonly number[], walked: readonly number[]): string[] =>
  walked.map((axis) => (axes.includes(axis) ? product(axes.slice(axes.indexOf(axis) + 1)) : ""));

/** The position of binding `k` along loops over `axes`. */
export const stridedCursor = (name: string, start: string, k: number, axes: readonly number[]): Cursor => ({
  name,
  start,
  steps: axes.map((axis) => `s${k}_${axis}`),
});

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
