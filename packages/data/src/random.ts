import { DescentError, philox } from "@descent/tensor";

/** Keeps these numbers apart from those that tensors draw with the same seed. */
const domain = 0x64617461;

/** A seed as users give it: an integer of at least 0. */
export function checkSeed(operation: string, seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new DescentError("argument", operation, "the seed is no integer of at least 0", { seed }, "For example: 42.");
}

/** Random numbers on the host that depend on `seed` and `stream` alone, whatever else draws numbers (Philox). */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #stream: number;
  #words: readonly number[] = [];
  #drawn = 0;

  constructor(seed: number, stream: number) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#stream = stream;
  }

  /** Uniform in [0, 1), in steps of 2⁻³². */
  next(): number {
    const at = this.#drawn++ % 4;
    if (at === 0) this.#words = philox([(this.#drawn - 1) >>> 2, 0, this.#stream, domain], this.#key);
    return (this.#words[at] as number) / 2 ** 32;
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** The integers below `length` in random order (Fisher and Yates). */
  permutation(length: number): Int32Array {
    const order = Int32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = order[i] as number;
      order[i] = order[j] as number;
      order[j] = moved;
    }
    return order;
  }
}
