import { DescentError, type Value } from "@descent/tensor";

/**
 * The new average of one element, from the average so far, the model's value, and the number of models averaged before. It is traced
 * once, and then runs as one launch per parameter. Numbers computed from `n` alone are exact doubles.
 */
export type AverageFn = (averaged: Value, current: Value, n: Value) => Value;

/** The mean of all models, for stochastic weight averaging (torch.optim.swa_utils.get_swa_avg_fn). */
export const getSwaAvgFn = (): AverageFn => (averaged, current, n) => averaged.add(current.sub(averaged).div(n.add(1)));

export interface EmaOptions {
  /**
   * Starts with a smaller decay, min(decay, (1 + n) / (warmup + n)) after n updates, so that the first weights are soon forgotten;
   * 10 is usual. Default: 0, the decay is the same throughout.
   */
  readonly warmup?: number;
}

/**
 * An exponential moving average: decay · averaged + (1 − decay) · current (torch.optim.swa_utils.get_ema_avg_fn, which has no warm-up).
 * @param decay from 0 to 1. Default: 0.999.
 */
export function getEmaAvgFn(decay = 0.999, { warmup = 0 }: EmaOptions = {}): AverageFn {
  const isNumber = (x: unknown): x is number => typeof x === "number";
  if (!(isNumber(decay) && decay >= 0 && decay <= 1 && isNumber(warmup) && warmup >= 0 && warmup < Infinity)) {
    const facts = { decay, warmup };
    throw new DescentError("argument", "getEmaAvgFn", "decay must be from 0 to 1, and warmup at least 0", facts);
  }
  return (averaged, current, n) => {
    const weight = warmup === 0 ? 1 - decay : n.add(1).div(n.add(warmup)).minimum(decay).complement();
    return averaged.add(current.sub(averaged).mul(weight));
  };
}
