import { DescentError, RandomStream } from "@descent/tensor";

/** Keeps these numbers apart from those that tensors draw with the same seed. */
const domain = 0x64617461;

/** A seed as users give it: an integer of at least 0. */
export function checkSeed(operation: string, seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new DescentError("argument", operation, "the seed is no integer of at least 0", { seed }, "For example: 42.");
}

/** Random numbers that depend on `seed` and `stream` alone, whatever else draws numbers. */
export const streamOf = (seed: number, stream: number): RandomStream =>
  new RandomStream([seed >>> 0, Math.floor(seed / 2 ** 32), stream, domain]);
