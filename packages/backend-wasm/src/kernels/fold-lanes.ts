import { type Code, get, set, shuffle32, simd, V128, vectorConstant } from "../asm/code.ts";
import { bitselect, splat, type Vector } from "../emit/vector.ts";

/** The running state of one fold over rows: one result per lane until `finish`. */
export interface Running {
  /** The variables that hold it. */
  readonly locals: readonly number[];
  reset(): void;
  /** Takes vectors of elements, at most as many as there are `ways`, and for each the places of its lanes in the row (argmax, argmin). */
  add(values: readonly Code[], places: readonly Code[]): void;
  /** The result. `across`: the lanes are parts of one row, and it comes in every lane. */
  finish(across: boolean): Code;
}

const laneZero: Code = vectorConstant([-1, 0, 0, 0]);
const laneZeroDouble: Code = vectorConstant([-1, -1, 0, 0]);

/** In tails across a row only lane 0 counts: the others keep what they hold. */
export function keepLanes(v: Vector, across: boolean, double: boolean, local: number, value: Code): Code {
  if (!across || v.lanes !== 1) return set(local, value);
  const mask = v.fn.constant(double ? "lane0d" : "lane0", V128, double ? laneZeroDouble : laneZero);
  return set(local, bitselect(value, get(local), mask));
}

/** Lanes moved down by `n` elements of `bits` bits. */
export const rotated = (x: Code, bits: 32 | 64, n: number): Code =>
  shuffle32(x, x, bits === 64 ? [2, 3, 0, 1] : [n, (n + 1) % 4, (n + 2) % 4, (n + 3) % 4]);

/** `combine` over all `values`, in a tree: short chains, and small errors. */
export const tree = (values: readonly Code[], combine: (a: Code, b: Code) => Code): Code => {
  const middle = values.length >> 1;
  return middle ? combine(tree(values.slice(0, middle), combine), tree(values.slice(middle), combine)) : values[0]!;
};

/** All lanes of `x` combined, in lane 0; at width 2, 32-bit lanes 2 and 3 are not used. */
export function foldLanes(v: Vector, x: Code, bits: 32 | 64, combine: (a: Code, b: Code) => Code): Code {
  let result = x;
  for (let n = v.width / 2; n >= 1; n /= 2) {
    const from = result;
    result = v.keep(combine(from, v.keep(rotated(from, bits, n))));
  }
  return result;
}

/** Places of the lanes of a vector that starts at place `at`; across a row they count up. */
export const lanePlaces = (v: Vector, at: Code, across: boolean): Code =>
  across ? simd(174, splat("i32", at), v.fn.constant("iota", V128, vectorConstant([0, 1, 2, 3]))) : splat("i32", at);
