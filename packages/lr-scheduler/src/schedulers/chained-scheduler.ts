import { CompositeScheduler } from "../core/composite-scheduler.ts";
import type { LRScheduler } from "../core/lr-scheduler.ts";
import { type ResumeOptions, settleResumable } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** Default: that of the schedulers. */
  optimizer?: Schedulable | undefined;
}

export interface ChainedSchedulerOptions extends Options, ResumeOptions {}

const table = { optimizer: { rule: { expected: "an optimizer", accepts: () => true }, default: undefined } };

/**
 * Several schedulers at once: each step steps all, in order, each on the lr that the one before left.
 *
 * `step(metric)` hands the metric to every ReduceLROnPlateau. With `lastEpoch`, the schedule is replayed up to there.
 * Source: torch.optim.lr_scheduler.ChainedScheduler.
 *
 * @example
 * const warm = new ConstantLR(optimizer, { factor: 0.1, totalIters: 4 });
 * const decay = new ExponentialLR(optimizer, { gamma: 0.9 });
 * new ChainedScheduler([warm, decay])
 */
export class ChainedScheduler extends CompositeScheduler {
  constructor(schedulers: readonly LRScheduler[], options: ChainedSchedulerOptions = {}) {
    const settled = settleResumable<Options>("ChainedScheduler", options, table);
    super("ChainedScheduler", schedulers, settled.options.optimizer);
    // Fresh children have already set the lr; a chain that is not resumed leaves it as it is.
    if (settled.lastEpoch >= 0) this.replay(settled.lastEpoch + 1);
  }

  get lastEpoch(): number {
    return this.schedulers[0]!.lastEpoch;
  }

  /** @internal */
  restart(): void {
    for (const scheduler of this.schedulers) scheduler.restart();
    this.note();
  }

  /** @internal */
  move(by: number, metric?: number): void {
    this.stepCount += 1;
    for (const scheduler of this.schedulers) scheduler.move(by, metric);
    this.note();
  }

  /** @internal */
  override writeRest(): void {
    for (const scheduler of this.schedulers) scheduler.writeRest();
  }
}
