import type { Arg, Launch } from "./backend.ts";
import type { HostArray, ValueType } from "./dtype.ts";
import { sizeOf } from "./layout.ts";
import type { Reducer } from "./program.ts";

/** A launch whose buffers are host arrays. */
export interface HostLaunch extends Omit<Launch, "args" | "kernel"> {
  readonly program: Launch["kernel"]["program"];
  readonly args: readonly (Omit<Arg, "buffer"> & { readonly data: HostArray })[];
}

export type HostArg = HostLaunch["args"][number];

/** Calls `visit` with every index of `shape`, in row-major order; the array is reused. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], linear: number) => void,
): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let linear = 0; linear < size; linear++) {
    visit(index, linear);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      index[axis] = next < (shape[axis] as number) ? next : 0;
      if (next < (shape[axis] as number)) break;
    }
  }
}

/** Where `index` lies under `strides`. */
export const dot = (index: readonly number[], strides: readonly number[]): number =>
  strides.reduce((sum, stride, axis) => sum + stride * (index[axis] ?? 0), 0);
export const at = (data: HostArray, position: number): number => data[position] as number;

export const isInteger = (type: ValueType): boolean => type === "i32" || type === "u32";

/** What a fold of nothing gives. */
export function identity(reducer: Reducer, type: ValueType): number {
  if (reducer === "sum" || reducer === "argmax" || reducer === "argmin") return 0;
  if (reducer === "prod") return 1;
  if (type === "u32") return reducer === "max" ? 0 : 0xffffffff;
  if (isInteger(type)) return reducer === "max" ? -0x80000000 : 0x7fffffff;
  return reducer === "max" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
