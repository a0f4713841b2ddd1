import { FactorScheduler } from "../core/factor-scheduler.ts";
import { nonNegative, positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** Epochs between two decays; above 0. */
  stepSize: number;
  /** Factor of each decay, at least 0. Default 0.1. */
  gamma?: number;
}

export interface StepLROptions extends Options, ResumeOptions {}

const table = { stepSize: { rule: positive }, gamma: { rule: nonNegative, default: 0.1 } };

/**
 * Decays by `gamma` every `stepSize` epochs: `lr(e) = base × gamma ^ ⌊e / stepSize⌋`.
 *
 * Source: torch.optim.lr_scheduler.StepLR.
 *
 * @example new StepLR(optimizer, { stepSize: 30, gamma: 0.1 })
 */
export class StepLR extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: StepLROptions) {
    super("StepLR", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    return this.ratio(epoch, 0);
  }

  protected override ratio(epoch: number, previous: number): number {
    const { stepSize, gamma } = this.options;
    return gamma ** (Math.floor(epoch / stepSize) - Math.floor(previous / stepSize));
  }
}
