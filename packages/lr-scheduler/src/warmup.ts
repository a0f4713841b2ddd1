import type { LRScheduler } from "./core/lr-scheduler.ts";
import { positive, type ResumeOptions, settleResumable } from "./core/options.ts";
import { LinearLR, startFactor } from "./schedulers/linear-lr.ts";
import { SequentialLR } from "./schedulers/sequential-lr.ts";

interface Options {
  /** Steps of the warm-up, above 0; then the scheduler begins. */
  steps: number;
  /** The first lr as a part of the base lr, above 0 and at most 1. Default 0.01. */
  startFactor?: number;
}

export interface WarmupArguments extends Options, ResumeOptions {}

const table = { steps: { rule: positive }, startFactor: { rule: startFactor, default: 0.01 } };

/**
 * Puts a linear warm-up in front of any fresh scheduler: a SequentialLR of a LinearLR and `scheduler`.
 *
 * @example warmup(new CosineAnnealingLR(optimizer, { tMax: 95 }), { steps: 5 })
 */
export function warmup(scheduler: LRScheduler, options: WarmupArguments): SequentialLR {
  const settled = settleResumable<Options>("warmup", options, table);
  const { lastEpoch } = settled;
  const { steps, startFactor } = settled.options;
  const line = new LinearLR(scheduler.optimizer, { startFactor, totalIters: steps });
  return new SequentialLR(scheduler.optimizer, { schedulers: [line, scheduler], milestones: [steps], lastEpoch });
}
