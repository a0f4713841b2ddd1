import { CurveScheduler } from "../core/curve-scheduler.ts";
import { setMomentum, usesBeta1 } from "../core/momentum.ts";
import {
  boolean,
  callable,
  collapse,
  fraction,
  nonNegative,
  oneOf,
  orListOf,
  type PerGroup,
  pick,
  positive,
  type ResumeOptions,
} from "../core/options.ts";
import type { ParamGroup, Schedulable } from "../core/schedulable.ts";
import { type Field, type Fields, lrList, type StateDict } from "../core/state.ts";

interface Options {
  /** Lowest lr, one number or one per group. */
  baseLr: PerGroup;
  /** Highest lr, one number or one per group. */
  maxLr: PerGroup;
  /** Steps up; above 0. Default 2000. */
  stepSizeUp?: number;
  /** Steps down; above 0. Default: as many as up. */
  stepSizeDown?: number | undefined;
  /** Default "triangular". */
  mode?: "triangular" | "triangular2" | "exp_range";
  /** Factor of each step in mode "exp_range". Default 1. */
  gamma?: number;
  /** Height of a cycle as a function of its number (from 1), or of the step; replaces `mode`. */
  scaleFn?: ((x: number) => number) | undefined;
  /** What `scaleFn` is given. Default "cycle". */
  scaleMode?: "cycle" | "iterations";
  /** Whether momentum (or the first beta) goes the other way round. Default true. */
  cycleMomentum?: boolean;
  /** Lowest momentum, one number or one per group. Default 0.8. */
  baseMomentum?: PerGroup;
  /** Highest momentum, one number or one per group. Default 0.9. */
  maxMomentum?: PerGroup;
}

export interface CyclicLROptions extends Options, ResumeOptions {}

const modes = ["triangular", "triangular2", "exp_range"] as const;
const table = {
  baseLr: { rule: orListOf(nonNegative) },
  maxLr: { rule: orListOf(nonNegative) },
  stepSizeUp: { rule: positive, default: 2000 },
  stepSizeDown: { rule: positive, default: undefined },
  mode: { rule: oneOf(...modes), default: "triangular" },
  gamma: { rule: nonNegative, default: 1 },
  scaleFn: { rule: callable, default: undefined },
  scaleMode: { rule: oneOf("cycle", "iterations"), default: "cycle" },
  cycleMomentum: { rule: boolean, default: true },
  baseMomentum: { rule: orListOf(nonNegative), default: 0.8 },
  maxMomentum: { rule: orListOf(nonNegative), default: 0.9 },
};

/**
 * Up from `baseLr` to `maxLr` in `stepSizeUp` steps and down in `stepSizeDown`, over and over; step it after each batch.
 * The height is halved each cycle in mode "triangular2" and decays by `gamma` each step in "exp_range".
 *
 * Momentum, or the first beta, goes down from `maxMomentum` while the lr goes up. Edits last until the next step.
 * Source: torch.optim.lr_scheduler.CyclicLR; Smith 2017, arXiv:1506.01186.
 *
 * @example new CyclicLR(optimizer, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2000 })
 */
export class CyclicLR extends CurveScheduler<Options> {
  /** Steps of a whole cycle. */
  declare totalSize: number;
  /** The part of it that goes up. */
  declare stepRatio: number;

  constructor(optimizer: Schedulable, options: CyclicLROptions) {
    super("CyclicLR", optimizer, options, table);
  }

  protected override setUp(): void {
    const { stepSizeUp, stepSizeDown = stepSizeUp, cycleMomentum, mode, scaleFn } = this.options;
    this.totalSize = stepSizeUp + stepSizeDown;
    this.stepRatio = stepSizeUp / this.totalSize;
    if (!scaleFn) this.options.scaleMode = mode === "exp_range" ? "iterations" : "cycle";
    if (cycleMomentum) usesBeta1(this.title, this.optimizer.paramGroups);
    for (const name of ["baseLr", "maxLr", "baseMomentum", "maxMomentum"] as const) this.of(name, 0);
  }

  protected override join(group: ParamGroup, i: number): number {
    const baseLr = this.of("baseLr", i);
    group.initialLr ??= baseLr;
    if (this.options.cycleMomentum) {
      group.maxMomentum = this.of("maxMomentum", i);
      group.baseMomentum = this.of("baseMomentum", i);
    }
    return baseLr;
  }

  private of(name: "baseLr" | "maxLr" | "baseMomentum" | "maxMomentum", i: number): number {
    return pick(this.title, name, this.options[name], i, this.optimizer.paramGroups.length);
  }

  /** How far up `epoch` is, from 0 to the height of its cycle. */
  private height(epoch: number): number {
    const cycle = Math.floor(1 + epoch / this.totalSize);
    const x = 1 + epoch / this.totalSize - cycle;
    const scale = x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1);
    return scale * this.scale(this.options.scaleMode === "cycle" ? cycle : epoch);
  }

  private scale(x: number): number {
    const { scaleFn, mode, gamma } = this.options;
    if (scaleFn) return scaleFn(x);
    return mode === "triangular" ? 1 : mode === "triangular2" ? 0.5 ** (x - 1) : gamma ** x;
  }

  protected at(i: number, epoch: number): number {
    return this.baseLrs[i]! + (this.of("maxLr", i) - this.baseLrs[i]!) * this.height(epoch);
  }

  /** @internal */
  override writeRest(): void {
    if (!this.options.cycleMomentum) return;
    const height = this.height(this.lastEpoch);
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      const max = this.of("maxMomentum", i);
      setMomentum(group, max - (max - this.of("baseMomentum", i)) * height);
    }
  }

  /** A per-group setting as PyTorch saves it. */
  private listed(name: "maxLr" | "baseMomentum" | "maxMomentum"): Field {
    return {
      rule: lrList,
      get: () => this.optimizer.paramGroups.map((_, i) => this.of(name, i)),
      set: (list: number[]) => (this.options[name] = collapse(list)),
    };
  }

  protected override ownFields(): Fields {
    const { mode, gamma, scale_mode, cycle_momentum } = super.ownFields() as Record<string, Field>;
    const { scaleFn, cycleMomentum } = this.options;
    const cycled = ({ get, ...field }: Field): Field => {
      return { ...field, optional: true, get: () => (cycleMomentum ? get() : undefined) };
    };
    return {
      max_lrs: this.listed("maxLr"),
      total_size: this.own("totalSize", { rule: positive }),
      step_ratio: this.own("stepRatio", { rule: fraction }),
      mode: mode!,
      gamma: gamma!,
      _scale_fn_custom: {
        get: () => (scaleFn && Object.keys(scaleFn).length > 0 ? { ...scaleFn } : null),
        set: (saved: StateDict | null) => scaleFn && Object.assign(scaleFn, saved),
      },
      scale_mode: scale_mode!,
      cycle_momentum: cycle_momentum!,
      use_beta1: cycled({ get: () => usesBeta1(this.title, this.optimizer.paramGroups), set: () => {} }),
      base_momentums: cycled(this.listed("baseMomentum")),
      max_momentums: cycled(this.listed("maxMomentum")),
    };
  }
}
