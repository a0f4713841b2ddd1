import { clamp } from "../core/anneal.ts";
import { FactorScheduler } from "../core/factor-scheduler.ts";
import { nonNegative, positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** Epochs until the lr is 0; above 0. Default 5. */
  totalIters?: number;
  /** At least 0; 1 is a straight line. Default 1. */
  power?: number;
}

export interface PolynomialLROptions extends Options, ResumeOptions {}

const table = { totalIters: { rule: positive, default: 5 }, power: { rule: nonNegative, default: 1 } };

/**
 * Decays to 0 along a power: `lr(e) = base × (1 − min(1, e / totalIters)) ^ power`.
 *
 * Source: torch.optim.lr_scheduler.PolynomialLR.
 *
 * @example new PolynomialLR(optimizer, { totalIters: 100, power: 2 })
 */
export class PolynomialLR extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: PolynomialLROptions = {}) {
    super("PolynomialLR", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    const { totalIters, power } = this.options;
    return (1 - clamp(epoch / totalIters)) ** power;
  }
}
