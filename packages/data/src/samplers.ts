import { checkOptions, DescentError, type RandomStream } from "@descent/tensor";
import { checkSeed, streamOf } from "./random.ts";

/** In which order an epoch visits the samples of a dataset. */
export interface Sampler {
  /** Indices per epoch. */
  readonly length: number;
  /** The indices of epoch `epoch`, counted from 0: the same whenever they are asked for, which is what makes resuming exact. */
  indices(epoch: number): ArrayLike<number>;
}

/** Throws unless `numSamples` indices can be drawn from `count` samples. */
function checkCounts(operation: string, count: number, numSamples: number): void {
  const whole = [count, numSamples].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (whole && (count > 0 || numSamples === 0)) return;
  const fault = whole ? "there is nothing to draw from" : "a number of samples is no integer of at least 0";
  throw new DescentError("argument", operation, fault, { samples: count, numSamples });
}

/** 0, 1, 2 … (torch.utils.data.SequentialSampler). */
export class SequentialSampler implements Sampler {
  readonly length: number;
  constructor(length: number) {
    checkCounts("SequentialSampler", length, length);
    this.length = length;
  }
  indices(): ArrayLike<number> {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }
}

export interface RandomSamplerOptions {
  /** Draw every index anew, so that some repeat. Default: false, a permutation. */
  readonly replacement?: boolean;
  /** Indices per epoch. Default: the number of samples. */
  readonly numSamples?: number;
  /** Default: 0. Each epoch has an order of its own; the same seed gives the same orders. */
  readonly seed?: number;
}

/** Another order in every epoch (torch.utils.data.RandomSampler). */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly #count: number;
  readonly #replacement: boolean;
  readonly #seed: number;

  /** @param count number of samples to draw from */
  constructor(count: number, options: RandomSamplerOptions = {}) {
    checkOptions("RandomSampler", options, ["replacement", "numSamples", "seed"]);
    const { replacement = false, numSamples = count, seed = 0 } = options;
    checkCounts("RandomSampler", count, numSamples);
    this.#count = count;
    this.#replacement = replacement;
    this.#seed = checkSeed("RandomSampler", seed);
    this.length = numSamples;
  }

  indices(epoch: number): ArrayLike<number> {
    const random = streamOf(this.#seed, epoch);
    if (this.#replacement) return Int32Array.from({ length: this.length }, () => random.below(this.#count));
    const order: number[] = [];
    while (order.length < this.length) {
      for (const index of random.permutation(this.#count).subarray(0, this.length - order.length)) order.push(index);
    }
    return order;
  }
}

export interface WeightedRandomSamplerOptions {
  /** Whether an index may come more than once. Default: true. */
  readonly replacement?: boolean;
  /** Default: 0. */
  readonly seed?: number;
}

/** Draws sample i with a probability proportional to `weights[i]` (torch.utils.data.WeightedRandomSampler). */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly #weights: readonly number[];
  readonly #replacement: boolean;
  readonly #seed: number;

  constructor(weights: ArrayLike<number>, numSamples: number, options: WeightedRandomSamplerOptions = {}) {
    checkOptions("WeightedRandomSampler", options, ["replacement", "seed"]);
    const { replacement = true, seed = 0 } = options;
    checkCounts("WeightedRandomSampler", weights.length, numSamples);
    this.#weights = Array.from(weights);
    this.#replacement = replacement;
    this.#seed = checkSeed("WeightedRandomSampler", seed);
    this.length = numSamples;
    const wrong = this.#weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
    if (wrong >= 0) {
      const facts = { index: wrong, weight: this.#weights[wrong] };
      throw new DescentError("argument", "WeightedRandomSampler", "a weight is no number of at least 0", facts);
    }
    const drawable = this.#weights.filter((weight) => weight > 0).length;
    if (replacement ? drawable === 0 : drawable < numSamples) {
      const facts = { "weights above 0": drawable, numSamples };
      const hint = "Pass { replacement: true }, or draw fewer.";
      throw new DescentError("argument", "WeightedRandomSampler", "too few samples have a weight", facts, hint);
    }
  }

  indices(epoch: number): ArrayLike<number> {
    const random = streamOf(this.#seed, epoch);
    return this.#replacement ? this.#withReplacement(random) : this.#without(random);
  }

  #withReplacement(random: RandomStream): ArrayLike<number> {
    let sum = 0;
    const reached = this.#weights.map((weight) => {
      sum += weight;
      return sum;
    });
    return Int32Array.from({ length: this.length }, () => {
      const at = random.next() * sum;
      let [low, high] = [0, reached.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((reached[middle] as number) > at) high = middle;
        else low = middle + 1;
      }
      return low;
    });
  }

  /** The largest keys u^(1/w) are such a sample: Efraimidis and Spirakis 2006. In logarithms, which do not underflow. */
  #without(random: RandomStream): ArrayLike<number> {
    const keys = this.#weights.map((weight, index) => ({ index, key: Math.log(random.next()) / weight }));
    const drawn = keys.filter(({ index }) => (this.#weights[index] as number) > 0).sort((a, b) => b.key - a.key);
    return drawn.slice(0, this.length).map(({ index }) => index);
  }
}
