import { FactorScheduler } from "../core/factor-scheduler.ts";
import { listOf, nonNegative, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import type { Fields } from "../core/state.ts";

interface Options {
  /** Epochs at which to decay, in any order; an epoch named twice decays twice. */
  milestones: readonly number[];
  /** Factor of each decay, at least 0. Default 0.1. */
  gamma?: number;
}

export interface MultiStepLROptions extends Options, ResumeOptions {}

const table = { milestones: { rule: listOf(nonNegative) }, gamma: { rule: nonNegative, default: 0.1 } };

/** Python's Counter: how often each epoch occurs. */
type Counter = Record<string, number>;

/**
 * Decays by `gamma` at each milestone: `lr(e) = base × gamma ^ (number of milestones ≤ e)`.
 *
 * Source: torch.optim.lr_scheduler.MultiStepLR.
 *
 * @example new MultiStepLR(optimizer, { milestones: [30, 80], gamma: 0.1 })
 */
export class MultiStepLR extends FactorScheduler<Options> {
  constructor(optimizer: Schedulable, options: MultiStepLROptions) {
    super("MultiStepLR", optimizer, options, table);
  }

  protected factor(epoch: number): number {
    return this.options.gamma ** this.passed(epoch);
  }

  protected override ratio(epoch: number, previous: number): number {
    return this.options.gamma ** (this.passed(epoch) - this.passed(previous));
  }

  private passed(epoch: number): number {
    return this.options.milestones.filter((milestone) => milestone <= epoch).length;
  }

  protected override ownFields(): Fields {
    const milestones = {
      get: () => {
        const counter: Counter = {};
        for (const milestone of this.options.milestones) counter[milestone] = (counter[milestone] ?? 0) + 1;
        return counter;
      },
      set: (counter: Counter) => {
        this.options.milestones = Object.entries(counter).flatMap(([at, times]) => new Array(times).fill(Number(at)));
      },
    };
    return { ...super.ownFields(), milestones };
  }
}
