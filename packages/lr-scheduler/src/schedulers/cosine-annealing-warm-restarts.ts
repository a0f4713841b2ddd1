import { cosine } from "../core/anneal.ts";
import { CurveScheduler } from "../core/curve-scheduler.ts";
import { checkValue, finite, nonNegative, positiveInteger, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import type { Fields } from "../core/state.ts";

interface Options {
  /** Epochs of the first cycle, a positive integer. */
  t0: number;
  /** Factor by which each cycle is longer than the one before, a positive integer. Default 1. */
  tMult?: number;
  /** Lowest lr, at least 0. Default 0. */
  etaMin?: number;
}

export interface CosineAnnealingWarmRestartsOptions extends Options, ResumeOptions {}

const table = {
  t0: { rule: positiveInteger, key: "T_0" },
  tMult: { rule: positiveInteger, default: 1, key: "T_mult" },
  etaMin: { rule: nonNegative, default: 0 },
};

/**
 * Cosine decay that starts over, in cycles of t0, t0·tMult, t0·tMult² … epochs:
 * `lr = etaMin + (base − etaMin) × (1 + cos(π tCur / tI)) / 2`, where `tCur` counts from the last restart and `tI` is the
 * length of the cycle. Edits of the lr last until the next step.
 *
 * `step(epoch)` takes fractions, for a step per batch: `step(epoch + batch / batches)`.
 * Source: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts; Loshchilov & Hutter 2017, arXiv:1608.03983.
 *
 * @example new CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 2 })
 */
export class CosineAnnealingWarmRestarts extends CurveScheduler<Options> {
  /** Epochs since the last restart. */
  declare tCur: number;
  /** Length of the current cycle. */
  declare tI: number;

  constructor(optimizer: Schedulable, options: CosineAnnealingWarmRestartsOptions) {
    super("CosineAnnealingWarmRestarts", optimizer, options, table);
  }

  protected at(i: number): number {
    return cosine(this.baseLrs[i]!, this.options.etaMin, this.tCur / this.tI);
  }

  override step(epoch?: number): void {
    if (epoch === undefined) return super.step();
    checkValue(`${this.title}.step`, "epoch", epoch, nonNegative);
    this.change(() => this.enter(0, this.options.t0, epoch, Math.floor(epoch)));
  }

  /** @internal */
  override restart(): void {
    this.enter(0, this.options.t0, 0, 0);
  }

  /** @internal */
  override move(by: number): void {
    this.enter(this.tCur, this.tI, by, this.lastEpoch + by);
  }

  /** Goes `by` epochs on from `tCur` in a cycle of `tI`. */
  private enter(tCur: number, tI: number, by: number, epoch: number): void {
    this.stepCount = 0; // PyTorch's class does not count its steps, and so never warns about their order.
    this.tCur = tCur + by;
    this.tI = tI;
    if (this.options.tMult === 1) this.tCur %= tI;
    while (this.tCur >= this.tI) {
      this.tCur -= this.tI;
      this.tI *= this.options.tMult;
    }
    this.write(epoch, (_lr, i) => this.at(i));
  }

  protected override ownFields(): Fields {
    const T_i = this.own("tI", { rule: positiveInteger });
    return { ...super.ownFields(), T_i, T_cur: this.own("tCur", { rule: finite }) };
  }
}
