import type { LRScheduler } from "./core/lr-scheduler.ts";
import { checkValue, naturalNumber } from "./core/options.ts";
import type { Schedulable } from "./core/schedulable.ts";

export interface PreviewOptions {
  /** The metric of each step (0 is the next one), for a schedule with ReduceLROnPlateau in it. */
  metric?: (step: number) => number;
  /** How far each step advances. Default 1. */
  by?: number;
}

/** A copy that works on another optimizer; functions among the options are shared. */
function copyOnto(scheduler: LRScheduler, optimizer: Schedulable): LRScheduler {
  const own = Object.entries(scheduler).map(([key, value]) => {
    if (key === "optimizer") return [key, optimizer];
    if (key === "schedulers") return [key, value.map((child: LRScheduler) => copyOnto(child, optimizer))];
    if (key === "options") return [key, { ...value }];
    return [key, value];
  });
  return Object.assign(Object.create(Object.getPrototypeOf(scheduler)), Object.fromEntries(own));
}

/**
 * The lrs that the next `steps` calls of `step` will give, each a list with one lr per group. Neither the scheduler nor the
 * optimizer is touched. The lr in force now is `scheduler.getLastLr()`.
 *
 * @example preview(scheduler, 100).map(([lr]) => lr)
 */
export function preview(scheduler: LRScheduler, steps: number, { metric, by = 1 }: PreviewOptions = {}): number[][] {
  checkValue("preview", "steps", steps, naturalNumber);
  const copy = copyOnto(scheduler, { paramGroups: scheduler.optimizer.paramGroups.map((group) => ({ ...group })) });
  return Array.from({ length: steps }, (_, step) => {
    copy.move(by, metric?.(step));
    return copy.getLastLr();
  });
}
