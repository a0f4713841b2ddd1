import { clamp, linear } from "../core/anneal.ts";
import { FactorScheduler } from "../core/factor-scheduler.ts";
import { fraction, positive, type ResumeOptions, type Rule } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** Above 0, at most 1. Default 1/3. */
  startFactor?: number;
  /** From 0 to 1. Default 1. */
  endFactor?: number;
  /** Epochs from start to end; above 0. Default 5. */
  totalIters?: number;
}

export interface LinearLROptions extends Options, ResumeOptions {}

export const startFactor: Rule = {
  expected: "a number above 0 and at most 1",
  accepts: (value) => positive.accepts(value) && fraction.accepts(value),
};
const table = {
  startFactor: { rule: startFactor, default: 1 / 3 },
  endFactor: { rule: fraction, default: 1 },
  totalIters: { rule: positive, default: 5 },
};

/**
 * A straight line between two factors: `lr(e) = base × (start + (end − start) × min(1, e / totalIters))`.
 *
 * Source: torch.optim.lr_scheduler.LinearLR.
 *
 * @example new LinearLR(optimizer, { startFactor: 0.1, totalIters: 500 })
 */
export class LinearLR extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: LinearLROptions = {}) {
    super("LinearLR", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    const { startFactor, endFactor, totalIters } = this.options;
    return linear(startFactor, endFactor, clamp(epoch / totalIters));
  }
}
