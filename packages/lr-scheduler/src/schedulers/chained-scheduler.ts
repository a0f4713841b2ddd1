import { CompositeScheduler } from "../core/composite-scheduler.ts";
import type { ResumeOptions } from "../core/curve-scheduler.ts";
import type { LRScheduler } from "../core/lr-scheduler.ts";
import { checkValue, epochBefore } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

export interface ChainedSchedulerOptions extends ResumeOptions {
  /** Default: that of the schedulers. */
  optimizer?: Schedulable;
}

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
    const { lastEpoch = -1, optimizer } = options;
    super("ChainedScheduler", schedulers, optimizer);
    checkValue(this.title, "lastEpoch", lastEpoch, epochBefore);
    // Fresh children have already set the lr; a chain that is not resumed leaves it as it is.
    if (lastEpoch >= 0) this.replay(lastEpoch + 1);
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
