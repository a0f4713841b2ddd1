import { type DType, randomWords, type Trace, uniformFrom, type Value } from "@descent/tensor";

/**
 * How parameters of float16 and bfloat16 are stored: "nearest", as PyTorch does; "stochastic": up or down by chance, so that small
 * updates count on average; "kahan": what was rounded off is kept in one more buffer and added to the next update.
 */
export type Rounding = "nearest" | "stochastic" | "kahan";

/** Bits of the fraction with the leading one, and the smallest positive number. */
const formats: Partial<Record<DType, { readonly bits: number; readonly least: number }>> = {
  float16: { bits: 11, least: 2 ** -24 },
  // Below this float32, in which updates are computed, may flush to zero.
  bfloat16: { bits: 8, least: 2 ** -126 },
};

/** Whether updates of parameters of this dtype are computed in more digits than are stored. */
export const isNarrow = (dtype: DType): boolean => dtype in formats;

/** The distance between neighbours of `dtype` near `x`, exactly: a power of two. */
function spacing(x: Value, dtype: DType): Value {
  const { bits, least } = formats[dtype] as { bits: number; least: number };
  let rest = x.abs();
  let power = x.trace.constant(2 ** (1 - bits), x.type);
  for (const up of [true, false]) {
    for (const k of [64, 32, 16, 8, 4, 2, 1]) {
      const by = 2 ** (up ? k : -k);
      const applies = up ? rest.ge(by) : rest.lt(2 * by);
      rest = applies.select(rest.mul(1 / by), rest, x.type);
      power = applies.select(power.mul(by), power, x.type);
    }
  }
  return power.maximum(least);
}

/** `x` up or down to a neighbour of `dtype`, with the chances that keep the mean; `key`: four numbers of a random draw. */
export function stochastic(x: Value, dtype: DType, trace: Trace, key: readonly Value[]): Value {
  const unit = spacing(x, dtype);
  const size = x.abs().div(unit);
  const whole = size.floor();
  const chance = uniformFrom(randomWords(trace, key), "float32");
  const up = chance.lt(size.sub(whole)).select(1, 0, x.type);
  return whole.add(up).mul(unit).mul(x.sign());
}

/** `x` as `dtype` stores it, and what is lost. */
export function split(x: Value, dtype: DType): { readonly stored: Value; readonly lost: Value } {
  const unit = spacing(x, dtype);
  const stored = x.div(unit).round().mul(unit);
  const lost = x.sub(stored);
  // Of infinities and NaN there is nothing to keep.
  return { stored, lost: lost.abs().le(unit).select(lost, 0) };
}
