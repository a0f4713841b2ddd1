import { CompositeScheduler } from "../core/composite-scheduler.ts";
import { DescentError } from "../core/error.ts";
import type { LRScheduler } from "../core/lr-scheduler.ts";
import { checkValue, finite, listOf, nonNegative, type ResumeOptions, settleResumable } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import type { Fields, StateDict } from "../core/state.ts";

interface Options {
  /** One scheduler per phase, all fresh and on the same optimizer. */
  schedulers: readonly LRScheduler[];
  /** Where each phase but the first begins, in epochs, increasing. */
  milestones: readonly number[];
}

export interface SequentialLROptions extends Options, ResumeOptions {}

const anything = { expected: "a list", accepts: Array.isArray };
const table = { schedulers: { rule: anything }, milestones: { rule: anything } };

/**
 * One scheduler after another: the one between two milestones is stepped. Each phase begins at the base lr (SWALR: at the
 * lr of the moment), as its scheduler would at epoch 0. Any scheduler can stand anywhere, composites too.
 *
 * `step(metric)` hands the metric to a ReduceLROnPlateau whose phase it is.
 * With `lastEpoch`, the schedule is replayed up to there. Source: torch.optim.lr_scheduler.SequentialLR.
 *
 * @example
 * const warm = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const decay = new ExponentialLR(optimizer, { gamma: 0.9 });
 * new SequentialLR(optimizer, { schedulers: [warm, decay], milestones: [5] })
 */
export class SequentialLR extends CompositeScheduler {
  lastEpoch = 0;
  milestones: readonly number[];

  constructor(optimizer: Schedulable, options: SequentialLROptions) {
    const settled = settleResumable<Options>("SequentialLR", options, table);
    const { schedulers, milestones } = settled.options;
    super("SequentialLR", schedulers, optimizer);
    this.checkMilestones(this.title, milestones);
    this.milestones = milestones;
    this.replay(settled.lastEpoch + 1);
  }

  private checkMilestones(title: string, milestones: readonly number[]): void {
    checkValue(title, "milestones", milestones, listOf(nonNegative));
    const facts = { milestones, schedulers: this.schedulers.length };
    if (milestones.length !== this.schedulers.length - 1) {
      const hint = "Each scheduler but the first needs the epoch at which it begins.";
      throw new DescentError("argument", title, "milestones must be one fewer than schedulers", facts, hint);
    }
    if (milestones.some((milestone, i) => i > 0 && milestone <= milestones[i - 1]!)) {
      const hint = "Sort the schedulers by the epoch at which they begin.";
      throw new DescentError("argument", title, "milestones must increase", facts, hint);
    }
  }

  private phase(epoch: number): number {
    return this.milestones.filter((milestone) => milestone <= epoch).length;
  }

  private active(): LRScheduler {
    return this.schedulers[this.phase(this.lastEpoch)]!;
  }

  private begin(scheduler: LRScheduler): void {
    if (scheduler.startsAtBase()) this.resetToBase();
    scheduler.restart();
  }

  /** @internal */
  restart(): void {
    this.lastEpoch = 0;
    this.idle();
    this.begin(this.active());
    this.note();
  }

  /** @internal */
  move(by: number, metric?: number): void {
    const before = this.phase(this.lastEpoch);
    this.lastEpoch += by;
    this.stepCount += 1;
    const phase = this.phase(this.lastEpoch);
    const scheduler = this.active();
    if (phase === before) scheduler.move(by, metric);
    else {
      const into = this.lastEpoch - this.milestones[phase - 1]!;
      this.begin(scheduler);
      if (into > 0) scheduler.move(into, metric);
    }
    this.note();
  }

  /** @internal */
  override writeRest(): void {
    this.active().writeRest();
  }

  /** @internal */
  override check(state: StateDict): void {
    super.check(state);
    this.checkMilestones(`${this.title}.loadStateDict`, state._milestones as number[]);
  }

  protected override fields(): Fields {
    const milestones = {
      rule: listOf(nonNegative),
      get: () => this.milestones,
      set: (value: number[]) => (this.milestones = value),
    };
    const lastEpoch = { rule: finite, get: () => this.lastEpoch, set: (epoch: number) => (this.lastEpoch = epoch) };
    return { _milestones: milestones, last_epoch: lastEpoch, ...super.fields() };
  }
}
