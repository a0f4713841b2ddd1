import { type AnnealStrategy, anneals, clamp } from "../core/anneal.ts";
import { CurveScheduler } from "../core/curve-scheduler.ts";
import {
  naturalNumber,
  nonNegative,
  oneOf,
  orListOf,
  type PerGroup,
  pick,
  type ResumeOptions,
} from "../core/options.ts";
import type { ParamGroup, Schedulable } from "../core/schedulable.ts";

interface Options {
  /** The constant lr to arrive at, one number or one per group. */
  swaLr: PerGroup;
  /** Epochs to get there, an integer of at least 0; 0 jumps at once. Default 10. */
  annealEpochs?: number;
  /** Default "cos". */
  annealStrategy?: AnnealStrategy;
}

export interface SWALROptions extends Options, ResumeOptions {}

const table = {
  swaLr: { rule: orListOf(nonNegative) },
  annealEpochs: { rule: naturalNumber, default: 10 },
  annealStrategy: { rule: oneOf("cos", "linear"), default: "cos", key: "_anneal_strategy" },
};

/**
 * From whatever the lr is when first stepped to a constant `swaLr`, for stochastic weight averaging:
 * `lr(e) = start × (1 − a) + swaLr × a`, where `a` goes from 0 to 1 in `annealEpochs`, along half a cosine wave or a line.
 *
 * The start is recovered from the lr found, so edits bend the curve and the end stays.
 * Source: torch.optim.swa_utils.SWALR; Izmailov et al. 2018, arXiv:1803.05407.
 *
 * @example new SWALR(optimizer, { swaLr: 0.05, annealEpochs: 20, annealStrategy: "linear" })
 */
export class SWALR extends CurveScheduler<Options> {
  constructor(optimizer: Schedulable, options: SWALROptions) {
    super("SWALR", optimizer, options, table);
  }

  protected override setUp(): void {
    this.swaLr(0);
  }

  private swaLr(i: number): number {
    return pick(this.title, "swaLr", this.options.swaLr, i, this.optimizer.paramGroups.length);
  }

  protected override join(group: ParamGroup, i: number): number {
    group.swaLr = this.swaLr(i);
    return super.join(group, i);
  }

  /** How far the lr has come from its start to `swaLr`. */
  private arrived(epoch: number): number {
    const { annealEpochs, annealStrategy } = this.options;
    return annealEpochs === 0 ? 1 : anneals[annealStrategy](0, 1, clamp(epoch / annealEpochs));
  }

  protected override initial(lr: number, i: number): number {
    return this.arrived(0) === 1 ? this.swaLr(i) : lr;
  }

  protected override next(lr: number, i: number, epoch: number): number {
    const swaLr = this.swaLr(i);
    const [now, before] = [this.arrived(epoch), this.arrived(this.lastEpoch)];
    if (now === 1 || before === 1) return swaLr;
    const start = (lr - before * swaLr) / (1 - before);
    return Math.max(0, swaLr * now + start * (1 - now)); // Rounding may end just below 0.
  }

  protected at(i: number, epoch: number): number {
    return this.next(this.optimizer.paramGroups[i]!.lr, i, epoch);
  }

  /** @internal It anneals from the lr of the phase before. */
  override startsAtBase(): boolean {
    return false;
  }

  protected override ownFields() {
    const { swa_lr: _, ...fields } = super.ownFields();
    return fields;
  }
}
