import { mulHigh } from "./special.ts";
import type { Trace } from "./trace.ts";
import type { Value } from "./value.ts";

/** Philox4x32-10, a counter-based generator: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". */
const rounds = 10;
const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
const weyl = [0x9e3779b9, 0xbb67ae85] as const;

type Four<T> = [T, T, T, T];

/** Four words from a counter and a key, on the host. */
export function philox(counter: Readonly<Four<number>>, key: readonly [number, number]): Four<number> {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [high0, low0] = [mulHigh(multipliers[0], a), Math.imul(multipliers[0], a) >>> 0];
    const [high1, low1] = [mulHigh(multipliers[1], c), Math.imul(multipliers[1], c) >>> 0];
    [a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1, (high0 ^ d ^ k1) >>> 0, low0];
    k0 = (k0 + weyl[0]) >>> 0;
    k1 = (k1 + weyl[1]) >>> 0;
  }
  return [a, b, c, d];
}

/**
 * The same inside a program: four u32 words for counter (index of the element, stream words) and key.
 * Every backend computes the same bits.
 */
export function philoxValues(trace: Trace, counter: Readonly<Four<Value>>, key: readonly [Value, Value]): Four<Value> {
  const word = (x: number) => trace.constant(x, "u32");
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [m0, m1] = [word(multipliers[0]), word(multipliers[1])];
    [a, b, c, d] = [m1.mulHigh(c).bitXor(b).bitXor(k0), m1.mul(c), m0.mulHigh(a).bitXor(d).bitXor(k1), m0.mul(a)];
    k0 = k0.add(word(weyl[0]));
    k1 = k1.add(word(weyl[1]));
  }
  return [a, b, c, d];
}
