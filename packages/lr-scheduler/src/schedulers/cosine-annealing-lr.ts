import { halfCosine, linear } from "../core/anneal.ts";
import { CurveScheduler } from "../core/curve-scheduler.ts";
import { nonNegative, positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";

interface Options {
  /** Epochs from the base lr down to `etaMin`; above 0. */
  tMax: number;
  /** Lowest lr, at least 0. Default 0. */
  etaMin?: number;
}

export interface CosineAnnealingLROptions extends Options, ResumeOptions {}

const table = { tMax: { rule: positive, key: "T_max" }, etaMin: { rule: nonNegative, default: 0 } };

/**
 * Half a cosine wave: `lr(e) = etaMin + (base − etaMin) × (1 + cos(π e / tMax)) / 2`. After `tMax` it rises again.
 *
 * Where somebody else changes the lr as well, the distance to `etaMin` is scaled, as in PyTorch.
 * Source: torch.optim.lr_scheduler.CosineAnnealingLR; Loshchilov & Hutter 2017, arXiv:1608.03983.
 *
 * @example new CosineAnnealingLR(optimizer, { tMax: 100, etaMin: 1e-5 })
 */
export class CosineAnnealingLR extends CurveScheduler<Options> {
  constructor(optimizer: Schedulable, options: CosineAnnealingLROptions) {
    super("CosineAnnealingLR", optimizer, options, table);
  }

  /** How much of the base lr is left, from 1 to 0 and back. */
  private weight(epoch: number): number {
    const { tMax } = this.options;
    return halfCosine((epoch % (2 * tMax)) / tMax);
  }

  protected at(i: number, epoch: number): number {
    return linear(this.options.etaMin, this.baseLrs[i]!, this.weight(epoch));
  }

  protected override initial(lr: number): number {
    return lr;
  }

  protected override next(lr: number, i: number, epoch: number): number {
    if (lr === this.at(i, this.lastEpoch)) return this.at(i, epoch);
    const { etaMin } = this.options;
    const [now, before] = [this.weight(epoch), this.weight(this.lastEpoch)];
    // At the bottom nothing is left to scale: the way up is towards the base lr.
    const scaled = before === 0 ? lr + (this.baseLrs[i]! - etaMin) * now : etaMin + (lr - etaMin) * (now / before);
    // In PyTorch, an lr that somebody took below etaMin can be driven below 0 from here.
    return Math.max(0, scaled);
  }
}
