import { clamp, linear } from "./anneal.ts";
import { DescentError } from "./error.ts";
import { FactorScheduler } from "./factor-scheduler.ts";
import { fraction, nonNegative, positive } from "./options.ts";

export interface WarmupOptions {
  /** Steps from `startFactor` up to the base lr, at least 0. */
  warmupSteps: number;
  /** From 0 to 1. Default 0. */
  startFactor?: number;
}

export interface EndOptions {
  /** What is left of the base lr at the end, from 0 to 1. Default 0. */
  endFactor?: number;
}

export interface WarmupDecayOptions extends WarmupOptions, EndOptions {
  /** Steps of warm-up and decay together, more than `warmupSteps`. */
  totalSteps: number;
}

export const warmupTable = { warmupSteps: { rule: nonNegative }, startFactor: { rule: fraction, default: 0 } };
export const endTable = { endFactor: { rule: fraction, default: 0 } };
export const warmupDecayTable = { ...warmupTable, totalSteps: { rule: positive }, ...endTable };

export function checkTotal(title: string, { warmupSteps, totalSteps }: WarmupDecayOptions): void {
  if (totalSteps > warmupSteps) return;
  const hint = "Count the warm-up in totalSteps.";
  throw new DescentError("argument", title, "totalSteps must exceed warmupSteps", { warmupSteps, totalSteps }, hint);
}

/** A straight line up to the base lr, then a curve that begins at a factor of 1. */
export abstract class WarmupScheduler<O extends WarmupOptions> extends FactorScheduler<O> {
  /** The factor `step` steps after the warm-up. */
  protected abstract after(step: number): number;

  protected factor(epoch: number): number {
    const { warmupSteps, startFactor = 0 } = this.options;
    return epoch < warmupSteps ? linear(startFactor, 1, clamp(epoch / warmupSteps)) : this.after(epoch - warmupSteps);
  }
}
