import type { Mask, Value } from "@descent/backend";
import { isWhole } from "./define.ts";

/**
 * Formulas on values that are more than a chain of scalar operations. Where deriving them term by term would give another
 * gradient than PyTorch's (at a kink, where something overflows), they state their derivative.
 */

const infinity = Number.POSITIVE_INFINITY;

/** Whether x is negative, −0 included. */
const isNegative = (x: Value): Mask =>
  isWhole(x) ? x.lt(0) : x.lt(0).or(x.eq(0).and(x.reciprocal().eq(Number.NEGATIVE_INFINITY)));

/** |a| with the sign of b. */
export const copysignOf = (a: Value, b: Value): Value => {
  const magnitude = a.abs();
  const y = isNegative(b).select(magnitude.neg(), magnitude);
  return y.ruled([a], (g, y, a) => [a.eq(0).select(0, g.mul(y.div(a)))]);
};

/** ⌊a / b⌋ as PyTorch computes it: from the exact remainder, so that rounding cannot reach the next integer. */
export function floorQuotient(a: Value, b: Value): Value {
  const rest = a.fmod(b);
  const below = rest.ne(0).and(rest.lt(0).xor(b.lt(0)));
  if (isWhole(a)) {
    const quotient = a.div(b);
    return a.type === "u32" ? quotient : below.select(quotient.sub(1), quotient);
  }
  const exact = a.sub(rest).div(b);
  const lowered = below.select(exact.sub(1), exact);
  const floor = lowered.floor();
  const whole = lowered.sub(floor).gt(0.5).select(floor.add(1), floor);
  const zero = copysignOf(a.mul(0), a.div(b));
  return b.eq(0).select(a.div(b), lowered.eq(0).select(zero, whole)).detach();
}

/** aᵇ of integers, by squaring; a negative exponent leaves only the powers of 1 and −1. */
export function integerPower(a: Value, b: Value): Value {
  // A number is one of the other operand's: squared as a double, it would stay one.
  const type = isWhole(a) ? a.type : b.type;
  let [result, square, rest] = [a.trace.constant(1, type), a.cast(type), b.abs()];
  for (let bit = 0; bit < 31; bit++) {
    result = rest.bitAnd(1).ne(0).select(result.mul(square), result);
    square = square.mul(square);
    rest = rest.shr(1);
  }
  return b.lt(0).and(a.abs().ne(1)).select(0, result);
}

/** a + weight · (b − a), from the nearer end. */
export function lerped(a: Value, b: Value, weight: Value): Value {
  const [step, rest] = [b.sub(a), weight.complement()];
  const y = weight
    .abs()
    .lt(0.5)
    .select(a.add(step.mul(weight)), b.sub(step.mul(rest)));
  return y.ruled([a, b, weight], (g, _y, a, b, weight) => [g.mul(weight.complement()), g.mul(weight), g.mul(b.sub(a))]);
}

/** x within bounds, of which one may be missing. */
export function clamped(x: Value, min: Value | null, max: Value | null): Value {
  const raised = min ? x.maximum(min) : x;
  const y = max ? raised.minimum(max) : raised;
  const inputs = [x, min, max].filter((value) => value !== null);
  return y.ruled(inputs, (g, _y, x, ...bounds) => {
    const [low, high] = min ? [bounds[0], bounds[1]] : [undefined, bounds[0]];
    const within = [low && x.ge(low), high && x.le(high)].filter((mask) => mask !== undefined);
    const inside = within.reduce((a, b) => a.and(b));
    const toLow = low && (high ? low.lt(high).and(x.lt(low)) : x.lt(low)).select(g, 0);
    const toHigh = high && (low ? x.gt(high).or(high.lt(low)) : x.gt(high)).select(g, 0);
    return [inside.select(g, 0), toLow, toHigh].filter((value) => value !== undefined);
  });
}

/** x where it is positive or NaN, 0 elsewhere; no gradient at 0. */
export const relu = (x: Value): Value => x.le(0).select(0, x);

/** x between two bounds; no gradient at the bounds (clamp passes it there). */
export const hardtanh = (x: Value, min: Value | number, max: Value | number): Value =>
  x
    .maximum(min)
    .minimum(max)
    .ruled([x], (g, _y, x) => [x.gt(min).and(x.lt(max)).select(g, 0)]);

export const relu6 = (x: Value): Value => hardtanh(x, 0, 6);

export const hardsigmoid = (x: Value): Value => hardtanh(x.add(3), 0, 6).div(6);

export const hardswish = (x: Value): Value =>
  x
    .mul(hardtanh(x.add(3), 0, 6))
    .div(6)
    .ruled([x], (g, _y, x) => [x.le(-3).select(0, x.ge(3).select(g, g.mul(x.div(3).add(0.5))))]);

export const silu = (x: Value): Value =>
  x.mul(x.sigmoid()).ruled([x], (g, _y, x) => {
    const s = x.sigmoid();
    return [g.mul(s).mul(x.mul(s.complement()).add(1))];
  });

/** ln(1 + e^(βx)) / β; the identity beyond the threshold. */
export const softplus = (x: Value, beta: Value | number, threshold: Value | number): Value => {
  const scaled = x.mul(beta);
  const y = scaled.gt(threshold).select(x, scaled.exp().log1p().div(beta));
  return y.ruled([x], (g, _y, x) => {
    const scaled = x.mul(beta);
    return [scaled.gt(threshold).select(g, g.mul(scaled.sigmoid()))];
  });
};

/** ln σ(x). */
export const logSigmoid = (x: Value): Value =>
  x
    .minimum(0)
    .sub(x.abs().neg().exp().log1p())
    .ruled([x], (g, _y, x) => [g.mul(x.neg().sigmoid())]);

export const mish = (x: Value): Value =>
  x.mul(x.exp().log1p().tanh()).ruled([x], (g, _y, x) => {
    const t = x.exp().log1p().tanh();
    return [g.mul(t.add(x.mul(x.sigmoid()).mul(t.square().complement())))];
  });

/** scale · x where positive, scale · α (e^(x · inner) − 1) elsewhere. */
export const elu = (x: Value, alpha: Value | number, scale: number, inner: Value | number): Value => {
  const y = x.le(0).select(x.mul(inner).expm1().mul(alpha).mul(scale), x.mul(scale));
  return y.ruled([x], (g, _y, x) => [
    x.gt(0).select(g.mul(scale), g.mul(x.mul(inner).exp()).mul(alpha).mul(inner).mul(scale)),
  ]);
};

const half = (x: Value, inner: Value) => x.mul(0.5).mul(inner.add(1));
/** x Φ(x), with the normal distribution function Φ. Hendrycks & Gimpel 2016, arXiv:1606.08415. */
export const gelu = (x: Value): Value => half(x, x.mul(Math.SQRT1_2).erf());
/** Its approximation by tanh. */
export const geluTanh = (x: Value): Value =>
  half(
    x,
    x
      .add(x.square().mul(x).mul(0.044715))
      .mul(Math.sqrt(2 / Math.PI))
      .tanh(),
  );

/** 0 within [−λ, λ], x elsewhere. */
export const hardshrink = (x: Value, lambd: Value): Value =>
  x
    .abs()
    .le(lambd)
    .select(0, x)
    .ruled([x], (g, _y, x) => [x.abs().gt(lambd).select(g, 0)]);

/** x moved towards 0 by λ, and not across it. */
export const softshrink = (x: Value, lambd: Value): Value =>
  x.gt(lambd).select(x.sub(lambd), x.lt(lambd.neg()).select(x.add(lambd), x.mul(0)));

/** ln(x / (1 − x)), of x limited to [ε, 1 − ε] where there is an ε. */
export function logit(x: Value, eps: Value | null): Value {
  const inner = eps ? x.maximum(eps).minimum(eps.complement()) : x;
  return inner
    .div(inner.complement())
    .log()
    .ruled([x], (g, _y, x) => {
      const [low, high] = eps ? [eps, eps.complement()] : [0, 1];
      const inside = x.ge(low).and(x.le(high));
      return [inside.select(g.div(x.mul(x.complement())), eps ? 0 : Number.NaN)];
    });
}

/** Whether x is neither infinite nor NaN. */
export const finite = (x: Value): Mask => x.sub(x).eq(0);
export const infinite = (x: Value): Mask => x.eq(x).and(finite(x).not());

/** Replaces what is not finite; no gradient passes there. */
export const nanToNum = (x: Value, nan: Value, high: Value, low: Value): Value =>
  x.ne(x).select(nan, x.eq(infinity).select(high, x.eq(-infinity).select(low, x)));

/** Rounds to a multiple of 1 / unit, or of unit. */
export const roundTo = (x: Value, unit: Value, fraction: boolean): Value =>
  fraction ? x.mul(unit).round().div(unit) : x.div(unit).round().mul(unit);
