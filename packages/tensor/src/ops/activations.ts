import { DescentError, type Value } from "@descent/backend";
import { checkOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { type Elementwise, elementwise, floats, leading, numbers, realNumbers, spec, unary } from "./define.ts";
import * as formulas from "./formulas.ts";

/** Activations of neural networks, with the gradients PyTorch gives at their kinks. */
export const relu = unary("relu", formulas.relu, numbers);
/** x limited to [0, 6]. */
export const relu6 = unary("relu6", formulas.relu6, numbers);
/** x σ(x), also called swish. */
export const silu = unary("silu", formulas.silu, floats);
/** relu6(x + 3) / 6. */
export const hardsigmoid = unary("hardsigmoid", formulas.hardsigmoid, floats);
/** x · relu6(x + 3) / 6. */
export const hardswish = unary("hardswish", formulas.hardswish, floats);
/** ln σ(x), without underflow. */
export const logSigmoid = unary("logSigmoid", formulas.logSigmoid, floats);
/** x / (1 + |x|). */
export const softsign = unary("softsign", (x) => x.div(x.abs().add(1)), realNumbers);
/** x · tanh(softplus(x)). Misra 2019, arXiv:1908.08681. */
export const mish = unary("mish", formulas.mish, floats);
/** x − tanh(x). */
export const tanhshrink = unary("tanhshrink", (x) => x.sub(x.tanh()), realNumbers);
/** Scaled ELU. Klambauer et al. 2017, arXiv:1706.02515. */
export const selu = unary("selu", (x) => formulas.elu(x, 1.6732632423543772, 1.0507009873554805, 1), floats);

/** An activation whose options are all numbers: they are uniforms of one program. */
function withNumbers<O extends object>(
  name: string,
  defaults: Record<keyof O & string, number>,
  f: (...x: Value[]) => Value,
  rule = floats,
): Elementwise<[x: Tensor, options?: O]> {
  const names = Object.keys(defaults) as (keyof O & string)[];
  const traced = spec(name, f, leading(1, rule));
  return elementwise((x: Tensor, options?: O) => {
    if (options) checkOptions(name, options, names);
    const given = options as Partial<Record<string, number>> | undefined;
    return [traced, [x, ...names.map((option) => given?.[option] ?? defaults[option])]];
  });
}

/** ln(1 + e^(βx)) / β, and x where βx exceeds the threshold. Defaults: beta 1, threshold 20. */
export const softplus = withNumbers<{ readonly beta?: number; readonly threshold?: number }>(
  "softplus",
  { beta: 1, threshold: 20 },
  (x, beta, threshold) => formulas.softplus(x, beta, threshold),
);
/** x where positive, α(eˣ − 1) elsewhere. Default: alpha 1. Clevert et al. 2015, arXiv:1511.07289. */
export const elu = withNumbers<{ readonly alpha?: number }>("elu", { alpha: 1 }, (x, alpha) =>
  formulas.elu(x, alpha, 1, 1),
);
/** x where positive, α(e^(x/α) − 1) elsewhere. Default: alpha 1. Barron 2017, arXiv:1704.07483. */
export const celu = withNumbers<{ readonly alpha?: number }>("celu", { alpha: 1 }, (x, alpha) =>
  formulas.elu(x, alpha, 1, alpha.reciprocal()),
);
/** x where positive, negativeSlope · x elsewhere. Default: 0.01. */
export const leakyRelu = withNumbers<{ readonly negativeSlope?: number }>(
  "leakyRelu",
  { negativeSlope: 0.01 },
  (x, slope) => x.gt(0).select(x, x.mul(slope)),
);
/** x limited to [minVal, maxVal]. Defaults: −1 and 1. */
export const hardtanh = withNumbers<{ readonly minVal?: number; readonly maxVal?: number }>(
  "hardtanh",
  { minVal: -1, maxVal: 1 },
  (x, min, max) => formulas.hardtanh(x, min, max),
  numbers,
);
/** 0 within [−lambd, lambd], x elsewhere. Default: 0.5. */
export const hardshrink = withNumbers<{ readonly lambd?: number }>(
  "hardshrink",
  { lambd: 0.5 },
  formulas.hardshrink as (...x: Value[]) => Value,
);
/** x moved towards 0 by lambd, and not across it. Default: 0.5. */
export const softshrink = withNumbers<{ readonly lambd?: number }>(
  "softshrink",
  { lambd: 0.5 },
  formulas.softshrink as (...x: Value[]) => Value,
);

const above = spec("threshold", (x, threshold, value) => x.le(threshold).select(value, x), leading(1, numbers));
/** x where it exceeds `threshold`, `value` elsewhere. */
export const threshold: Elementwise<[x: Tensor, threshold: number, value: number]> = elementwise(
  (x, threshold, value) => [above, [x, threshold, value]],
);

export interface GeluOptions {
  /** "none": x Φ(x) by the error function; "tanh": its approximation. Default: "none". */
  readonly approximate?: "none" | "tanh";
}
const gelus = { none: unary("gelu", formulas.gelu, floats), tanh: unary("geluTanh", formulas.geluTanh, floats) };
/** x Φ(x), with the normal distribution function Φ. Hendrycks & Gimpel 2016, arXiv:1606.08415. */
export const gelu: Elementwise<[x: Tensor, options?: GeluOptions]> = elementwise((x, options = {}) => {
  checkOptions("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  const chosen = gelus[approximate];
  if (chosen) return chosen.of(x);
  throw new DescentError("option", "gelu", "unknown approximation", { approximate }, 'Use "none" or "tanh".');
});
