import { clamp, cosine, linear } from "../core/anneal.ts";
import { nonNegative, oneOf, positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import {
  type EndOptions,
  endTable,
  type WarmupOptions,
  WarmupScheduler,
  warmupTable,
} from "../core/warmup-scheduler.ts";

const shapes = {
  cos: cosine,
  linear,
  sqrt: (from: number, to: number, progress: number): number => linear(from, to, Math.sqrt(progress)),
} as const;

interface Options extends WarmupOptions, EndOptions {
  /** Steps at the base lr, at least 0. */
  stableSteps: number;
  /** Steps from there down to `endFactor`; above 0. */
  decaySteps: number;
  /** Shape of the decay; "sqrt" is `1 − √progress`. Default "cos". */
  annealStrategy?: keyof typeof shapes;
}

export interface WarmupStableDecayOptions extends Options, ResumeOptions {}

const table = {
  ...warmupTable,
  stableSteps: { rule: nonNegative },
  decaySteps: { rule: positive },
  annealStrategy: { rule: oneOf(...Object.keys(shapes)), default: "cos" },
  ...endTable,
};

/**
 * Up to the base lr in `warmupSteps`, there for `stableSteps`, down to `base × endFactor` in `decaySteps`, where it stays.
 *
 * The length of training can be chosen late: only the decay has to be planned.
 * Source: Hu et al. 2024, arXiv:2404.06395 (WSD); the shapes: Hägele et al. 2024, arXiv:2405.18392.
 *
 * @example new WarmupStableDecay(optimizer, { warmupSteps: 500, stableSteps: 8000, decaySteps: 1500 })
 */
export class WarmupStableDecay extends WarmupScheduler<Options> {
  constructor(optimizer: Schedulable, options: WarmupStableDecayOptions) {
    super("WarmupStableDecay", optimizer, options, table);
  }

  protected after(step: number): number {
    const { stableSteps, decaySteps, annealStrategy, endFactor } = this.options;
    return shapes[annealStrategy](1, endFactor, clamp((step - stableSteps) / decaySteps));
  }
}
