import { clamp, linear } from "../core/anneal.ts";
import { FactorScheduler } from "../core/factor-scheduler.ts";
import { positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import { type EndOptions, endTable } from "../core/warmup-scheduler.ts";

interface Options extends EndOptions {
  /** Steps until the end; above 0. */
  totalSteps: number;
}

export interface REXOptions extends Options, ResumeOptions {}

const table = { totalSteps: { rule: positive }, ...endTable };

/**
 * Reflected exponential: `lr = base × (1 − p) / (1 − p / 2)` with `p = e / totalSteps`; high for long, then steep. With
 * `endFactor` it ends there instead of at 0.
 *
 * Source: Chen, Wolfe & Kyrillidis 2022, arXiv:2107.04197. Made for training on a budget; needs no tuning.
 *
 * @example new REX(optimizer, { totalSteps: 10_000 })
 */
export class REX extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: REXOptions) {
    super("REX", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    const { totalSteps, endFactor } = this.options;
    const progress = clamp(epoch / totalSteps);
    return linear(endFactor, 1, (1 - progress) / (1 - progress / 2));
  }
}
