import type { DType } from "@descent/backend";

/** What an adapter can do that changes the code. */
export interface Features {
  /** 16-bit floats in storage; elsewhere float16 is held in 32 bits, rounded. */
  readonly f16: boolean;
  /** Threads of the smallest subgroup; 0 where threads cannot talk to each other that way. */
  readonly subgroups: number;
}

/**
 * How elements lie in memory. bool and uint8 take 32 bits each (WGSL has no bytes, and neighbours must be written independently),
 * bfloat16 too, as a float32 that is rounded at every store; float16 takes 16 where the adapter has them.
 */
export type Held = "f32" | "f16" | "i32" | "u32";

export function held(dtype: DType, { f16 }: Features): Held {
  if (dtype === "float16") return f16 ? "f16" : "f32";
  if (dtype === "float32" || dtype === "bfloat16") return "f32";
  return dtype === "int32" || dtype === "int64" ? "i32" : "u32";
}

/** Bytes of one element in memory. */
export const heldBytes = (dtype: DType, features: Features): number => (held(dtype, features) === "f16" ? 2 : 4);

/** The value of a stored element. */
export function loaded(dtype: DType, features: Features, element: string): string {
  if (dtype === "bool") return `(${element} != 0u)`;
  return held(dtype, features) === "f16" ? `f32(${element})` : element;
}

/** What to store for a value. */
export function stored(dtype: DType, features: Features, value: string): string {
  switch (dtype) {
    case "bool":
      return `select(0u, 1u, ${value})`;
    case "uint8":
      return `(${value} & 255u)`;
    case "bfloat16":
      return `to_bfloat16(${value})`;
    case "float16":
      // Rounded by hand: WGSL leaves open to which side a conversion rounds.
      return features.f16 ? `f16(to_float16(${value}))` : `to_float16(${value})`;
    default:
      return value;
  }
}
