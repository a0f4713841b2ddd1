import { FactorScheduler } from "../core/factor-scheduler.ts";
import { nonNegative, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** Factor of each epoch, at least 0. */
  gamma: number;
}

export interface ExponentialLROptions extends Options, ResumeOptions {}

const table = { gamma: { rule: nonNegative } };

/**
 * Decays every epoch: `lr(e) = base × gamma ^ e`.
 *
 * Source: torch.optim.lr_scheduler.ExponentialLR.
 *
 * @example new ExponentialLR(optimizer, { gamma: 0.95 })
 */
export class ExponentialLR extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: ExponentialLROptions) {
    super("ExponentialLR", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    return this.options.gamma ** epoch;
  }

  protected override ratio(epoch: number, previous: number): number {
    return this.options.gamma ** (epoch - previous);
  }
}
