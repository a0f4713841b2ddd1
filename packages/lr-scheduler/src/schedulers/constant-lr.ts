import { FactorScheduler } from "../core/factor-scheduler.ts";
import { fraction, positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** From 0 to 1. Default 1/3. */
  factor?: number;
  /** Epochs before the lr returns to the base; above 0. Default 5. */
  totalIters?: number;
}

export interface ConstantLROptions extends Options, ResumeOptions {}

const table = { factor: { rule: fraction, default: 1 / 3 }, totalIters: { rule: positive, default: 5 } };

/**
 * A smaller lr at first: `lr(e) = base × factor` while `e < totalIters`, then `base`.
 *
 * Source: torch.optim.lr_scheduler.ConstantLR.
 *
 * @example new ConstantLR(optimizer, { factor: 0.1, totalIters: 4 })
 */
export class ConstantLR extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: ConstantLROptions = {}) {
    super("ConstantLR", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    return epoch < this.options.totalIters ? this.options.factor : 1;
  }
}
