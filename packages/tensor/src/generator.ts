import { DescentError } from "@descent/backend";
import { type RandomKey, RandomStream, words } from "./random-stream.ts";
import { watcher } from "./watch.ts";

/** The state of a generator: plain numbers, to be saved with a model. */
export interface RngState {
  readonly seed: number;
  readonly offset: number;
}

/** The key of draw number `offset` of a seed. */
export const keyOf = ({ seed, offset }: RngState): RandomKey => [...words(seed), ...words(offset)];

/**
 * A source of random numbers: counter-based (Philox4x32-10), so that draw number `offset` of a seed has the same bits on every
 * backend, whatever its size.
 */
export class Generator {
  #seed = 0;
  #offset = 0;

  constructor(seed = 0) {
    this.manualSeed(seed);
  }

  get seed(): number {
    return this.#seed;
  }
  /** Starts over from `seed`, an integer from 0 to 2⁵³ − 1. Returns the generator. */
  manualSeed(seed: number): this {
    return this.setState({ seed, offset: 0 });
  }
  getState(): RngState {
    return { seed: this.#seed, offset: this.#offset };
  }
  /** Goes on where `getState` was called. Returns the generator. */
  setState({ seed, offset }: RngState): this {
    for (const [name, value] of Object.entries({ seed, offset })) {
      if (Number.isSafeInteger(value) && value >= 0) continue;
      throw new DescentError(
        "argument",
        "manualSeed",
        `${name} is no integer of at least 0`,
        { [name]: value },
        "For example: manualSeed(42).",
      );
    }
    this.#seed = seed;
    this.#offset = offset;
    return this;
  }
  /** The key of one more draw. */
  next(): RandomKey {
    const key = keyOf({ seed: this.#seed, offset: this.#offset++ });
    watcher?.drew(this, key);
    return key;
  }
  /** One more draw, as numbers on the host. */
  stream(): RandomStream {
    return new RandomStream(this.next());
  }
}

/** The generator that is used where none is given. */
export const defaultGenerator: Generator = /* @__PURE__ */ new Generator();

/** Seeds the default generator (torch.manual_seed): what is drawn afterwards is the same in every run and on every backend. */
export const manualSeed = (seed: number): Generator => defaultGenerator.manualSeed(seed);
/** The state of the default generator, and its restoration. */
export const getRngState = (): RngState => defaultGenerator.getState();
export const setRngState = (state: RngState): Generator => defaultGenerator.setState(state);
