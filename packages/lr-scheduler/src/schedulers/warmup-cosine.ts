import { clamp, cosine } from "../core/anneal.ts";
import type { ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import { checkTotal, type WarmupDecayOptions, WarmupScheduler, warmupDecayTable } from "../core/warmup-scheduler.ts";

export interface WarmupCosineOptions extends WarmupDecayOptions, ResumeOptions {}

/**
 * A straight line from `base × startFactor` up to `base` in `warmupSteps`, then half a cosine wave down to
 * `base × endFactor` at `totalSteps`, where it stays.
 *
 * With the defaults the same as `get_cosine_schedule_with_warmup` of Hugging Face Transformers.
 *
 * @example new WarmupCosine(optimizer, { warmupSteps: 500, totalSteps: 10_000 })
 */
export class WarmupCosine extends WarmupScheduler<WarmupDecayOptions> {
  constructor(optimizer: Schedulable, options: WarmupCosineOptions) {
    super("WarmupCosine", optimizer, options, warmupDecayTable);
  }

  protected override setUp(): void {
    checkTotal(this.title, this.options);
  }

  protected after(step: number): number {
    const { totalSteps, warmupSteps, endFactor } = this.options;
    return cosine(1, endFactor, clamp(step / (totalSteps - warmupSteps)));
  }
}
