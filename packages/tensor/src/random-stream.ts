import { philox } from "@descent/backend";

/** Four 32-bit words that number one draw: the seed, then how many draws were made before. Given to a program as numbers, so a draw never recompiles. */
export type RandomKey = readonly [key0: number, key1: number, stream0: number, stream1: number];

/** The low and the high 32 bits of an integer. */
export const words = (x: number): [low: number, high: number] => [x >>> 0, Math.floor(x / 2 ** 32)];

/** Random numbers on the host, one after the other, that depend on their key alone (Philox). */
export class RandomStream {
  readonly #key: RandomKey;
  #words: readonly number[] = [];
  #drawn = 0;

  constructor(key: RandomKey) {
    this.#key = key;
  }

  /** Uniform in [0, 1), in steps of 2⁻³². */
  next(): number {
    const at = this.#drawn++ % 4;
    if (at === 0) {
      const [key0, key1, stream0, stream1] = this.#key;
      this.#words = philox([(this.#drawn - 1) >>> 2, 0, stream0, stream1], [key0, key1]);
    }
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
