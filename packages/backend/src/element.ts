import type { DType } from "./dtype.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./half.ts";

/** The number a stored element stands for; bool gives 0 or 1. */
export function decode(dtype: DType, stored: number): number {
  if (dtype === "float16") return fromFloat16(stored);
  if (dtype === "bfloat16") return fromBfloat16(stored);
  return stored;
}

/** What to store for a number; the typed array itself does the rest of the rounding or wrapping. */
export function encode(dtype: DType, value: number): number {
  if (dtype === "float16") return toFloat16(value);
  if (dtype === "bfloat16") return toBfloat16(value);
  return value;
}
