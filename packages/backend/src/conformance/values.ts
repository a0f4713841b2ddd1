import type { DType, ValueType } from "../dtype.ts";

/** A small seeded generator (mulberry32): the same numbers in every run and on every machine. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` numbers between `low` and `high` that float32 holds. */
export function randoms(count: number, low = -4, high = 4, seed = 1): number[] {
  const next = generator(seed);
  return Array.from({ length: count }, () => Math.fround(low + (high - low) * next()));
}

/** `count` integers from `low` up to, and without, `high`. */
export function randomIntegers(count: number, low: number, high: number, seed = 1): number[] {
  const next = generator(seed);
  return Array.from({ length: count }, () => low + Math.floor((high - low) * next()));
}

/** Numbers that every element type holds exactly, for programs whose subject is not arithmetic. */
export function plain(dtype: DType, count: number, seed = 1): number[] {
  if (dtype === "bool") return randomIntegers(count, 0, 2, seed);
  if (dtype === "uint8" || dtype === "uint32") return randomIntegers(count, 0, 100, seed);
  return randomIntegers(count, -100, 100, seed);
}

/** Numbers to try operations on, by what is special about them. */
export const kindsOfNumbers = {
  ordinary: [...randoms(40), ...randoms(20, 0, 1, 2), 0.5, 1, -1, 2, -2, 3, 1.5, -1.5, 2.5, -2.5, 0.75, 10, -10, 80],
  zeros: [0, -0, 1, -1],
  infinities: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, -1, 2],
  nan: [Number.NaN, 0, 1, -1],
  huge: [1e30, -1e30, 3e38, -3e38, 1e10, -1e10, 123456.7, -123456.7, 16777217, 2 ** 31, -(2 ** 31)].map(Math.fround),
  small: [1e-30, -1e-30, 1e-20, -1e-20, 2e-38, -2e-38, 1e-5, -1e-5].map(Math.fround),
  subnormal: [1e-40, -1e-40, 1e-45, -1e-45, 1.1e-38, 1].map(Math.fround),
} as const;

export type KindOfNumber = keyof typeof kindsOfNumbers;

/** Integers to try operations on. */
export const integers: Record<"i32" | "u32", readonly number[]> = {
  i32: [0, 1, -1, 2, -2, 3, 7, -7, 100, -100, 65535, 2 ** 31 - 1, -(2 ** 31), 123456789, -987654321],
  u32: [0, 1, 2, 3, 7, 31, 255, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 123456789, 3456789012],
};

/** The dtype that holds a value type as it is. */
export const holder: Record<ValueType, DType> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  mask: "bool",
};

/** Every pair of two lists, as two lists. */
export function pairs(a: readonly number[], b: readonly number[]): [number[], number[]] {
  return [a.flatMap((x) => b.map(() => x)), a.flatMap(() => [...b])];
}
