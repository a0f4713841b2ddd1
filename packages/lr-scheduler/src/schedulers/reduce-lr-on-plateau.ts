import { DescentError } from "../core/error.ts";
import { LRScheduler } from "../core/lr-scheduler.ts";
import {
  checkValue,
  finite,
  naturalNumber,
  nonNegative,
  oneOf,
  orListOf,
  type PerGroup,
  pick,
  type Rule,
  settle,
} from "../core/options.ts";
import { readLrs, type Schedulable, setLr } from "../core/schedulable.ts";
import { type Field, type Fields, lrList } from "../core/state.ts";
import { warnOnce } from "../core/warnings.ts";

export interface ReduceLROnPlateauOptions {
  /** Whether a smaller or a larger metric is better. Default "min". */
  mode?: "min" | "max";
  /** What the lr is multiplied by; at least 0, below 1. Default 0.1. */
  factor?: number;
  /** Epochs without improvement that are tolerated; one more reduces the lr. Default 10. */
  patience?: number;
  /** How much better a metric must be to count; at least 0. Default 1e-4. */
  threshold?: number;
  /** Whether `threshold` is a part of the best metric's size, or an amount. Default "rel". */
  thresholdMode?: "rel" | "abs";
  /** Epochs after a reduction in which nothing is counted. Default 0. */
  cooldown?: number;
  /** Lowest lr, one number or one per group. Default 0. */
  minLr?: PerGroup;
  /** A change of the lr of at most this much is not made. Default 1e-8. */
  eps?: number;
}

const belowOne: Rule = {
  expected: "a number of at least 0 and below 1",
  accepts: (value) => nonNegative.accepts(value) && (value as number) < 1,
};
// JSON has no infinity, and writes null.
const numberOrNull: Rule = { expected: "a number", accepts: (value) => value === null || typeof value === "number" };

const table = {
  mode: { rule: oneOf("min", "max"), default: "min" },
  factor: { rule: belowOne, default: 0.1 },
  patience: { rule: nonNegative, default: 10 },
  threshold: { rule: nonNegative, default: 1e-4 },
  thresholdMode: { rule: oneOf("rel", "abs"), default: "rel" },
  cooldown: { rule: nonNegative, default: 0 },
  minLr: { rule: orListOf(nonNegative), default: 0 },
  eps: { rule: nonNegative, default: 1e-8 },
};

/**
 * Reduces the lr by `factor` when a metric has not improved for more than `patience` epochs: `step(metric)`.
 *
 * A metric is better than the best so far if it beats it by `threshold`, relative to its size or absolute. It works on the
 * lr found, and so composes with every other scheduler, in SequentialLR and ChainedScheduler too (not so in PyTorch).
 * Source: torch.optim.lr_scheduler.ReduceLROnPlateau; there, "rel" is upside down for negative metrics.
 *
 * @example
 * const scheduler = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 3 });
 * scheduler.step(validationLoss);
 */
export class ReduceLROnPlateau extends LRScheduler {
  readonly options: Required<ReduceLROnPlateauOptions>;
  lastEpoch = 0;
  /** The best metric so far. */
  best: number;
  numBadEpochs = 0;
  cooldownCounter = 0;
  // Being stepped before the optimizer skips no value of this schedule: as in PyTorch, there is no warning.
  protected override stepCount = 0;

  constructor(optimizer: Schedulable, options: ReduceLROnPlateauOptions = {}) {
    super("ReduceLROnPlateau", optimizer);
    this.options = settle<ReduceLROnPlateauOptions>(this.title, options, table);
    this.minLr(0);
    this.best = this.worst();
  }

  /**
   * @param metric what to watch, such as the validation loss. NaN counts as not better.
   * @param epoch deprecated, as in PyTorch: the number of this epoch.
   */
  step(metric: number, epoch?: number): void {
    if (epoch !== undefined) {
      checkValue(`${this.title}.step`, "epoch", epoch, finite);
      warnOnce("epoch-argument");
    }
    this.change(() => {
      this.move(1, metric);
      this.lastEpoch = epoch ?? this.lastEpoch;
    });
  }

  /** @internal */
  move(by: number, metric?: number): void {
    if (typeof metric !== "number") {
      const hint =
        "Pass the value to watch: step(validationLoss), or preview(…, { metric }). Without it nothing can be replayed.";
      throw new DescentError("argument", `${this.title}.step`, "the metric is not a number", { metric }, hint);
    }
    if (Number.isNaN(metric))
      warnOnce("nan-metric", `${this.title} was given a metric of NaN. It counts as not better than the best one.`);
    const { patience, cooldown } = this.options;
    this.lastEpoch += by;
    if (this.isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs += 1;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter -= 1;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > patience) {
      this.reduce();
      this.cooldownCounter = cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = readLrs(this.optimizer);
  }

  /** @internal */
  restart(): void {
    this.lastEpoch = this.numBadEpochs = this.cooldownCounter = 0;
    this.best = this.worst();
    this.lastLr = readLrs(this.optimizer);
  }

  private worst(): number {
    return this.options.mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  private isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    // Turned round for "max", so that there is one comparison; `best` is infinite before the first metric.
    const [candidate, best] = mode === "min" ? [metric, this.best] : [-metric, -this.best];
    if (!Number.isFinite(best)) return candidate < best;
    if (thresholdMode === "abs") return candidate < best - threshold;
    return candidate < best * (best < 0 ? 1 + threshold : 1 - threshold);
  }

  private minLr(i: number): number {
    return pick(this.title, "minLr", this.options.minLr, i, this.optimizer.paramGroups.length);
  }

  private reduce(): void {
    const { factor, eps } = this.options;
    const lrs = this.optimizer.paramGroups.map(({ lr }, i) => Math.max(lr * factor, this.minLr(i)));
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      if (group.lr - lrs[i]! > eps) setLr(group, lrs[i]!);
    }
  }

  /** A state entry that is a property of `target`. */
  private entry<T, K extends keyof T>(target: T, name: K, rule: Rule): Field {
    return { rule, get: () => target[name], set: (value: T[K]) => (target[name] = value) };
  }

  protected fields(): Fields {
    const { options } = this;
    const rules = Object.entries(table).map(([name, { rule }]) => [name, rule]);
    const { factor, patience, cooldown, eps, mode, threshold, thresholdMode } = Object.fromEntries(rules);
    return {
      factor: this.entry(options, "factor", factor),
      default_min_lr: {
        get: () => (Array.isArray(options.minLr) ? null : options.minLr),
        set: (minLr: number | null) => (options.minLr = minLr ?? options.minLr),
      },
      min_lrs: {
        rule: lrList,
        get: () => (Array.isArray(options.minLr) ? options.minLr : this.optimizer.paramGroups.map(() => options.minLr)),
        set: (minLrs: number[]) => {
          if (Array.isArray(options.minLr)) options.minLr = minLrs;
        },
      },
      patience: this.entry(options, "patience", patience),
      cooldown: this.entry(options, "cooldown", cooldown),
      eps: this.entry(options, "eps", eps),
      last_epoch: this.entry(this as ReduceLROnPlateau, "lastEpoch", finite),
      ...this.lastLrField(),
      mode_worse: { optional: true, get: () => this.worst(), set: () => {} },
      mode: this.entry(options, "mode", mode),
      threshold: this.entry(options, "threshold", threshold),
      threshold_mode: this.entry(options, "thresholdMode", thresholdMode),
      best: {
        rule: numberOrNull,
        get: () => this.best,
        set: (best: number | null) => (this.best = best ?? this.worst()),
      },
      cooldown_counter: this.entry(this as ReduceLROnPlateau, "cooldownCounter", naturalNumber),
      num_bad_epochs: this.entry(this as ReduceLROnPlateau, "numBadEpochs", naturalNumber),
    };
  }
}
