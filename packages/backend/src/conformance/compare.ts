import type { DType } from "../dtype.ts";

/**
 * What may differ: `ulp` units in the last place of the expected number, plus `relative` times a scale. The scale is the expected
 * number itself, the largest one of the buffer, or (`magnitude`, for sums) what the program gives for the absolute values of its inputs.
 */
export interface Tolerance {
  readonly ulp?: number;
  readonly relative?: number;
  readonly of?: "element" | "largest" | "magnitude";
}

/** Digits of the significand, and the exponent of the smallest normal number. */
const formats: Partial<Record<DType, readonly [digits: number, lowest: number]>> = {
  float32: [23, -126],
  float64: [52, -1022],
  float16: [10, -14],
  bfloat16: [7, -126],
};

/** The distance between neighbouring numbers of `dtype` around `x`. */
export function unitInLastPlace(dtype: DType, x: number): number {
  const format = formats[dtype];
  if (!format) return 1;
  const exponent = Math.max(x === 0 ? format[1] : Math.floor(Math.log2(Math.abs(x))), format[1]);
  return 2 ** (exponent - format[0]);
}

/** The smallest normal number of `dtype`: what a device may take for 0 lies below it. */
const smallestNormal = (dtype: DType): number => 2 ** (formats[dtype]?.[1] ?? Number.NEGATIVE_INFINITY);

/** Whether `got` will do for `wanted`; zeros of either sign are the same unless `signs`. Where subnormal numbers count as 0, `flushes`. */
export function fits(
  dtype: DType,
  got: number,
  wanted: number,
  tolerance: Tolerance,
  scale: number,
  signs: boolean,
  flushes = false,
): boolean {
  if (Number.isNaN(wanted) || Number.isNaN(got)) return Number.isNaN(wanted) && Number.isNaN(got);
  if (got === wanted) return !signs || Object.is(got, wanted);
  if (!Number.isFinite(wanted) || !Number.isFinite(got)) return false;
  const allowed = (tolerance.ulp ?? 0) * unitInLastPlace(dtype, wanted) + (tolerance.relative ?? 0) * scale;
  if (flushes && Math.abs(wanted) < smallestNormal(dtype) && Math.abs(got) < smallestNormal(dtype)) return true;
  return Math.abs(got - wanted) <= allowed;
}

/** How far off `got` is, for people. */
export function distance(dtype: DType, got: number, wanted: number): string {
  if (!Number.isFinite(got) || !Number.isFinite(wanted)) return "";
  return ` (${(Math.abs(got - wanted) / unitInLastPlace(dtype, wanted)).toPrecision(3)} ulp)`;
}
