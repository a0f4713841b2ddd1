import { type AnnealStrategy, anneals } from "../core/anneal.ts";
import { CurveScheduler } from "../core/curve-scheduler.ts";
import { DescentError } from "../core/error.ts";
import { setMomentum, usesBeta1 } from "../core/momentum.ts";
import {
  boolean,
  fraction,
  listOf,
  nonNegative,
  oneOf,
  orListOf,
  type PerGroup,
  pick,
  positive,
  positiveInteger,
  type ResumeOptions,
} from "../core/options.ts";
import type { ParamGroup, Schedulable } from "../core/schedulable.ts";
import type { Field, Fields } from "../core/state.ts";

interface Options {
  /** Highest lr, one number or one per group. */
  maxLr: PerGroup;
  /** Steps of the whole cycle, a positive integer; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number | undefined;
  epochs?: number | undefined;
  stepsPerEpoch?: number | undefined;
  /** The part of the cycle that goes up, from 0 to 1. Default 0.3. */
  pctStart?: number;
  /** Default "cos". */
  annealStrategy?: AnnealStrategy;
  /** Whether momentum (or the first beta) goes the other way round. Default true. */
  cycleMomentum?: boolean;
  /** Lowest momentum, one number or one per group. Default 0.85. */
  baseMomentum?: PerGroup;
  /** Highest momentum, one number or one per group. Default 0.95. */
  maxMomentum?: PerGroup;
  /** First lr = maxLr / divFactor; above 0. Default 25. */
  divFactor?: number;
  /** Last lr = first lr / finalDivFactor; above 0. Default 1e4. */
  finalDivFactor?: number;
  /** Down to the first lr as steeply as up, and only then to the last one. Default false. */
  threePhase?: boolean;
}

export interface OneCycleLROptions extends Options, ResumeOptions {}

const table = {
  maxLr: { rule: orListOf(nonNegative) },
  totalSteps: { rule: positiveInteger, default: undefined },
  epochs: { rule: positiveInteger, default: undefined },
  stepsPerEpoch: { rule: positiveInteger, default: undefined },
  pctStart: { rule: fraction, default: 0.3 },
  annealStrategy: { rule: oneOf("cos", "linear"), default: "cos" },
  cycleMomentum: { rule: boolean, default: true },
  baseMomentum: { rule: orListOf(nonNegative), default: 0.85 },
  maxMomentum: { rule: orListOf(nonNegative), default: 0.95 },
  divFactor: { rule: positive, default: 25 },
  finalDivFactor: { rule: positive, default: 1e4 },
  threePhase: { rule: boolean, default: false },
};

type Level = "initial_lr" | "max_lr" | "min_lr";
type MomentumLevel = "max_momentum" | "base_momentum";

/** One leg of the cycle, as PyTorch saves it. */
interface Phase {
  end_step: number;
  start_lr: Level;
  end_lr: Level;
  start_momentum: MomentumLevel;
  end_momentum: MomentumLevel;
}

const leg = (end_step: number, lrs: [Level, Level], momenta: [MomentumLevel, MomentumLevel]): Phase => ({
  end_step,
  start_lr: lrs[0],
  end_lr: lrs[1],
  start_momentum: momenta[0],
  end_momentum: momenta[1],
});

const legs = listOf({
  expected: "a phase with an end_step",
  accepts: (value) => Number.isFinite((value as Phase | null)?.end_step),
});

/**
 * One cycle over the whole training: from `maxLr / divFactor` up to `maxLr` in the first `pctStart` of the steps, then down
 * to `maxLr / divFactor / finalDivFactor`; step it after each batch. Momentum, or the first beta, goes the other way round.
 *
 * Edits of the lr last until the next step. After `totalSteps` the lr stays at its end; stepping further is an error.
 * Source: torch.optim.lr_scheduler.OneCycleLR; Smith & Topin 2018, arXiv:1708.07120.
 *
 * @example new OneCycleLR(optimizer, { maxLr: 0.1, epochs: 10, stepsPerEpoch: loader.length })
 */
export class OneCycleLR extends CurveScheduler<Options> {
  declare totalSteps: number;
  /** The legs of the cycle. */
  declare phases: Phase[];

  constructor(optimizer: Schedulable, options: OneCycleLROptions) {
    super("OneCycleLR", optimizer, options, table);
  }

  protected override setUp(): void {
    const { totalSteps, epochs, stepsPerEpoch, pctStart, threePhase, cycleMomentum } = this.options;
    const total = totalSteps ?? (epochs ?? Number.NaN) * (stepsPerEpoch ?? Number.NaN);
    if (Number.isNaN(total)) {
      const hint = "Pass totalSteps, or epochs and stepsPerEpoch.";
      throw new DescentError(
        "option",
        this.title,
        "the length of the cycle is missing",
        { epochs, stepsPerEpoch },
        hint,
      );
    }
    if (threePhase && pctStart > 0.5) {
      const hint = "The way down takes as long as the way up: pass at most 0.5.";
      throw new DescentError("argument", this.title, "pctStart leaves no room for threePhase", { pctStart }, hint);
    }
    if (cycleMomentum) usesBeta1(this.title, this.optimizer.paramGroups);
    for (const name of ["maxLr", "baseMomentum", "maxMomentum"] as const) this.of(name, 0);
    this.totalSteps = total;
    const up = leg(pctStart * total - 1, ["initial_lr", "max_lr"], ["max_momentum", "base_momentum"]);
    this.phases = threePhase
      ? [
          up,
          leg(2 * pctStart * total - 2, ["max_lr", "initial_lr"], ["base_momentum", "max_momentum"]),
          leg(total - 1, ["initial_lr", "min_lr"], ["max_momentum", "max_momentum"]),
        ]
      : [up, leg(total - 1, ["max_lr", "min_lr"], ["base_momentum", "max_momentum"])];
  }

  private of(name: "maxLr" | "baseMomentum" | "maxMomentum", i: number): number {
    return pick(this.title, name, this.options[name], i, this.optimizer.paramGroups.length);
  }

  protected override join(group: ParamGroup, i: number): number {
    const { divFactor, finalDivFactor, cycleMomentum } = this.options;
    const initialLr = this.of("maxLr", i) / divFactor;
    // PyTorch replaces initialLr. Here another scheduler's stays: in a SequentialLR, that one counts on it.
    group.initialLr ??= initialLr;
    group.maxLr = this.of("maxLr", i);
    group.minLr = initialLr / finalDivFactor;
    if (cycleMomentum) {
      group.maxMomentum = this.of("maxMomentum", i);
      group.baseMomentum = this.of("baseMomentum", i);
    }
    return initialLr;
  }

  /** The leg that `step` is on, and how far along it is. */
  private locate(step: number): { phase: Phase; progress: number } {
    if (step > this.totalSteps) {
      const hint = "Make totalSteps as large as the number of steps, or stop stepping.";
      throw new DescentError(
        "argument",
        this.title,
        "stepped past its end",
        { totalSteps: this.totalSteps, step },
        hint,
      );
    }
    const found = this.phases.findIndex(({ end_step }) => step <= end_step);
    const index = found < 0 ? this.phases.length - 1 : found;
    const phase = this.phases[index]!;
    const start = this.phases[index - 1]?.end_step ?? 0;
    // A leg of no length is over at once; one step after the last leg, the curve stays where it ended.
    const progress = phase.end_step === start ? 1 : Math.min(1, (step - start) / (phase.end_step - start));
    return { phase, progress };
  }

  private anneal(from: number, to: number, progress: number): number {
    return anneals[this.options.annealStrategy](from, to, progress);
  }

  protected at(i: number, step: number): number {
    const { phase, progress } = this.locate(step);
    const initial_lr = this.baseLrs[i]!;
    const levels = { initial_lr, max_lr: this.of("maxLr", i), min_lr: initial_lr / this.options.finalDivFactor };
    return this.anneal(levels[phase.start_lr], levels[phase.end_lr], progress);
  }

  /** @internal */
  override writeRest(): void {
    if (!this.options.cycleMomentum) return;
    const { phase, progress } = this.locate(this.lastEpoch);
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      const levels = { max_momentum: this.of("maxMomentum", i), base_momentum: this.of("baseMomentum", i) };
      setMomentum(group, this.anneal(levels[phase.start_momentum], levels[phase.end_momentum], progress));
    }
  }

  protected override ownFields(): Fields {
    const { cycle_momentum, anneal_strategy } = super.ownFields() as Record<string, Field>;
    const { cycleMomentum } = this.options;
    const useBeta1 = () => (cycleMomentum ? usesBeta1(this.title, this.optimizer.paramGroups) : undefined);
    return {
      total_steps: this.own("totalSteps", { rule: positiveInteger }),
      _schedule_phases: this.own("phases", { rule: legs }),
      // States of old versions have a function here, which cannot be read: what was constructed stays.
      _anneal_func_type: { ...anneal_strategy!, optional: true },
      cycle_momentum: cycle_momentum!,
      use_beta1: { optional: true, get: useBeta1, set: () => {} },
    };
  }
}
