import { positive, type ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import { type WarmupOptions, WarmupScheduler, warmupTable } from "../core/warmup-scheduler.ts";

interface Options extends WarmupOptions {
  /** Steps after which the lr has fallen to 1/√2; above 0. Default: `warmupSteps`, or 10 000 without warm-up. */
  timescale?: number | undefined;
}

export interface InverseSqrtOptions extends Options, ResumeOptions {}

const table = { ...warmupTable, timescale: { rule: positive, default: undefined } };

/**
 * Up to the base lr in `warmupSteps`, then `lr = base / √(1 + s / timescale)`, where `s` counts from there; no end is needed.
 *
 * With the default timescale the schedule of the Transformer, Vaswani et al. 2017, arXiv:1706.03762, and the same as
 * `get_inverse_sqrt_schedule` of Hugging Face Transformers.
 *
 * @example new InverseSqrt(optimizer, { warmupSteps: 4000 })
 */
export class InverseSqrt extends WarmupScheduler<Options> {
  constructor(optimizer: Schedulable, options: InverseSqrtOptions) {
    super("InverseSqrt", optimizer, options, table);
  }

  protected override setUp(): void {
    this.options.timescale ??= this.options.warmupSteps || 10_000;
  }

  protected after(step: number): number {
    return 1 / Math.sqrt(1 + step / this.options.timescale!);
  }
}
