import type { DType, Tensor, Traced, Value } from "@descent/tensor";
import { isNarrow, split, stochastic } from "./rounding.ts";
import type { Updated } from "./rule.ts";
import type { Setting } from "./setting.ts";

/**
 * A rule as one traced operation. Operands: parameter, gradient, state buffers, hyperparameters, counters, and with stochastic
 * rounding the four numbers of a random draw; results: parameter and buffers.
 */
export function traceUpdate(
  name: string,
  key: string,
  dtype: DType,
  { o, numeric, names, dtype: stateDtype, rounding: asked }: Setting,
  counters: readonly string[],
  rule: (x: object) => Updated<string>,
): Traced {
  const rounding = isNarrow(dtype) ? asked : "nearest";
  return {
    name,
    key,
    dtype: ([p]) => (p as Tensor).dtype,
    outputs: (computed) => [computed, ...names.map(() => stateDtype ?? computed)],
    body: (values, trace) => {
      let next = 0;
      const take = () => values[next++] as Value;
      const [stored, g] = [take(), take()];
      const s: Record<string, Value> = Object.fromEntries(names.map((buffer) => [buffer, take()]));
      const h = Object.fromEntries(numeric.map(({ option, isPair }) => [option, isPair ? [take(), take()] : take()]));
      const c = Object.fromEntries(counters.map((counter) => [counter, take()]));
      const p = rounding === "kahan" ? stored.add(s.compensation as Value) : stored;
      const updated = rule({ p, g: o.maximize === true ? g.neg() : g, s, h, c, o });
      const results: Record<string, Value | undefined> = { ...updated };
      const moved = updated.p as Value;
      if (rounding === "stochastic") results.p = stochastic(moved, dtype, trace, values.slice(next));
      if (rounding === "kahan") {
        const parts = split(moved, dtype);
        results.p = parts.stored;
        results.compensation = parts.lost;
      }
      return [results.p as Value, ...names.map((buffer) => results[buffer] ?? (s[buffer] as Value))];
    },
  };
}
