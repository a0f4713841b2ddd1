import { checkOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { type Elementwise, elementwise, floats, isWhole, numbers, real, spec, unary } from "./define.ts";
import * as formulas from "./formulas.ts";

/** eˣ. Integers become float32 here and in the functions below, as in PyTorch. */
export const exp = unary("exp", (x) => x.exp(), real);
/** 2ˣ. */
export const exp2 = unary("exp2", (x) => x.trace.constant(2, x.type).pow(x), real);
/** eˣ − 1, accurate near 0. */
export const expm1 = unary("expm1", (x) => x.expm1(), real);
/** Natural logarithm. */
export const log = unary("log", (x) => x.log(), real);
/** ln(1 + x), accurate near 0. */
export const log1p = unary("log1p", (x) => x.log1p(), real);
export const log2 = unary("log2", (x) => x.log2(), real);
export const log10 = unary("log10", (x) => x.log().mul(Math.LOG10E), real);
export const sqrt = unary("sqrt", (x) => x.sqrt(), real);
/** 1 / √x. */
export const rsqrt = unary("rsqrt", (x) => x.rsqrt(), real);

/** Trigonometric functions, in radians, and hyperbolic ones, with their inverses. */
export const sin = unary("sin", (x) => x.sin(), real);
export const cos = unary("cos", (x) => x.cos(), real);
export const tan = unary("tan", (x) => x.tan(), real);
export const asin = unary("asin", (x) => x.asin(), real);
export const acos = unary("acos", (x) => x.acos(), real);
export const atan = unary("atan", (x) => x.atan(), real);
export const sinh = unary("sinh", (x) => x.sinh(), real);
export const cosh = unary("cosh", (x) => x.cosh(), real);
export const tanh = unary("tanh", (x) => x.tanh(), real);
export const asinh = unary("asinh", (x) => x.asinh(), real);
export const acosh = unary("acosh", (x) => x.acosh(), real);
export const atanh = unary("atanh", (x) => x.atanh(), real);

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = unary("erf", (x) => x.erf(), real);
/** 1 − erf(x), accurate for large x. */
export const erfc = unary("erfc", (x) => x.erfc(), real);
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = unary("sigmoid", (x) => x.sigmoid(), real);

const whole = (name: "floor" | "ceil" | "trunc" | "round") => unary(name, (x) => (isWhole(x) ? x : x[name]()), numbers);
/** Next integer below, above, and towards 0; integers stay as they are. Their gradient is zero. */
export const floor = whole("floor");
export const ceil = whole("ceil");
export const trunc = whole("trunc");
/** x − trunc(x). */
export const frac = unary("frac", (x) => x.sub(x.trunc()), floats);

export interface RoundOptions {
  /** Digits after the decimal point; negative ones count before it. Default: 0. */
  readonly decimals?: number;
}
const rounding = whole("round");
const fraction = spec("round", (x, unit) => formulas.roundTo(x, unit, true), floats, "round fraction");
const multiple = spec("round", (x, unit) => formulas.roundTo(x, unit, false), floats, "round multiple");
/** Nearest integer, halves to the even one; or nearest multiple of 10^−decimals. */
export const round: Elementwise<[x: Tensor, options?: RoundOptions]> = elementwise((x, options = {}) => {
  checkOptions("round", options, ["decimals"]);
  const { decimals = 0 } = options;
  if (decimals === 0) return rounding.of(x);
  return [decimals > 0 ? fraction : multiple, [x, 10 ** Math.abs(decimals)]];
});

export interface LogitOptions {
  /** Limits x to [eps, 1 − eps] first. Default: null, no limit. */
  readonly eps?: number | null;
}
const plainLogit = unary("logit", (x) => formulas.logit(x, null), real);
const limitedLogit = spec("logit", (x, eps) => formulas.logit(x, eps), real, "logit eps");
/** ln(x / (1 − x)), the inverse of sigmoid. */
export const logit: Elementwise<[x: Tensor, options?: LogitOptions]> = elementwise((x, options = {}) => {
  checkOptions("logit", options, ["eps"]);
  const { eps = null } = options;
  return eps === null ? plainLogit.of(x) : [limitedLogit, [x, eps]];
});

export interface NanToNumOptions {
  /** What NaN becomes. Default: 0. */
  readonly nan?: number | null;
  /** What +∞ becomes. Default: the largest number of the dtype. */
  readonly posinf?: number | null;
  /** What −∞ becomes. Default: the least number of the dtype. */
  readonly neginf?: number | null;
}
const largest: Partial<Record<string, number>> = {
  float64: Number.MAX_VALUE,
  float32: 3.4028234663852886e38,
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
};
const replacing = spec(
  "nanToNum",
  (x, nan, high, low) => (isWhole(x) ? x : formulas.nanToNum(x, nan, high, low)),
  () =>
    ([x]) =>
      (x as Tensor).dtype,
);
/** Replaces NaN and the infinities by numbers. */
export const nanToNum: Elementwise<[x: Tensor, options?: NanToNumOptions]> = elementwise((x, options = {}) => {
  checkOptions("nanToNum", options, ["nan", "posinf", "neginf"]);
  const most = largest[x?.dtype] ?? 0;
  return [replacing, [x, options.nan ?? 0, options.posinf ?? most, options.neginf ?? -most]];
});
