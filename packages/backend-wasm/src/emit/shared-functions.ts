import { type Code, get, i32, simd, V128 } from "../asm/code.ts";
import type { Doubles } from "./doubles.ts";
import type { Emit } from "./operations.ts";
import { bitselect, type Vector } from "./vector.ts";

/** A function of vectors of doubles. */
export type Shared = (d: Doubles, ...x: Code[]) => Code;

/** Circular functions reduce arguments up to this; larger ones go to the engine's own function. */
export const mostReduced = 2 ** 20;

/**
 * `f` where `usual` holds in every lane that counts, and otherwise the engine's own function, lane by lane: what is that rare
 * needs no vector form.
 */
export const orHost =
  (name: string, usual: (v: Vector, ...x: Code[]) => Code, f: Emit): Emit =>
  (v, type, operands, from) => {
    const { fn } = v;
    const double = type === "f64";
    const result = fn.local(V128);
    const unused = () => fn.constant(double ? "unused 64" : "unused 32", V128, unusedLanes(double ? 8 : 4));
    const mask = v.keep(usual(v, ...operands));
    fn.if(
      simd(double ? 195 : 163, v.lanes === 1 ? simd(80, mask, unused()) : mask),
      () => fn.set(result, f(v, type, operands, from)),
      () => fn.set(result, v.host(name, type, ...operands)),
    );
    return get(result);
  };
/** All bits but those of the first lane. */
const unusedLanes = (bytes: number): Code => [0xfd, 12, Array.from({ length: 16 }, (_, n) => (n < bytes ? 0 : 255))];

/** `large` where |x| ≥ `bound`, and otherwise x · (c₀ + c₁ x² + …): where subtraction would cancel, the series is short. */
const orSeries = (d: Doubles, x: Code, bound: number, large: Code, coefficients: readonly number[]): Code => {
  const series = d.mul(x, d.polynomial(d.keep(d.mul(x, x)), coefficients));
  return bitselect(d.keep(series), large, d.less(d.abs(x), d.constant(bound)));
};

/** `a` or, where bit 0 of the multiple of π/2 is set, `b`; negated where bit 1 of the multiple plus `turns` is. */
const turned = (d: Doubles, multiple: Code, a: Code, b: Code, turns: number): Code => {
  const shifted = d.keep(turns ? simd(206, multiple, d.v.fn.constant("turn", V128, simd(18, [0x42, 1]))) : multiple);
  const value = d.keep(bitselect(b, a, d.bit(multiple, 0)));
  return simd(81, value, simd(203, simd(78, shifted, d.v.fn.constant("two", V128, simd(18, [0x42, 2]))), i32(62)));
};

/** Above this, 1 does not count beside the square. */
const far = 2 ** 28;
/** ½ e^|x| and ½ e^−|x|, also where e^|x| itself is out of range. */
const halves = (d: Doubles, x: Code): readonly [Code, Code] => {
  const root = d.keep(d.exp(d.keep(d.mul(d.abs(x), d.constant(0.5)))));
  const half = d.keep(d.mul(root, d.constant(0.5)));
  return [d.keep(d.mul(half, root)), d.keep(d.div(d.constant(0.5), d.mul(root, root)))];
};

/** Functions whose accuracy is that of what they are made of: `Doubles` serves float32, `FullDoubles` float64. */
export const shared = {
  expm1: (d, x) => d.expm1(x!),
  log1p: (d, x) => d.log1p(x!),
  log2: (d, x) => d.log2(x!),
  sin: (d, x) => {
    const { sin, cos, multiple } = d.quadrant(x!);
    return turned(d, multiple, sin, cos, 0);
  },
  cos: (d, x) => {
    const { sin, cos, multiple } = d.quadrant(x!);
    return turned(d, multiple, cos, sin, 1);
  },
  tan: (d, x) => {
    const { sin, cos, multiple } = d.quadrant(x!);
    const odd = d.keep(d.bit(multiple, 0));
    return d.div(bitselect(d.neg(cos), sin, odd), bitselect(sin, cos, odd));
  },
  asin: (d, x) => {
    const one = d.constant(1);
    return d.atan(d.keep(d.div(x!, d.sqrt(d.mul(d.sub(one, x!), d.add(one, x!))))));
  },
  acos: (d, x) => {
    const one = d.constant(1);
    const half = d.keep(d.atan(d.keep(d.sqrt(d.div(d.sub(one, x!), d.add(one, x!))))));
    return d.add(half, half);
  },
  atan: (d, x) => d.atan(x!),
  /** The angle within an eighth of a turn, unfolded; two zeros count as 0/1, two infinities as 1/1. */
  atan2: (d, y, x) => {
    const [height, width] = [d.keep(d.abs(y!)), d.keep(d.abs(x!))];
    const most = d.keep(simd(245, height, width));
    const ratio = d.keep(d.div(simd(244, height, width), most));
    const infinite = d.equal(most, d.constant(Number.POSITIVE_INFINITY));
    const corner = simd(78, infinite, d.equal(height, width));
    const zero = d.equal(most, d.constant(0));
    const t = bitselect(d.constant(1), bitselect(d.constant(0), ratio, zero), corner);
    const low = d.keep(d.atan(d.keep(t)));
    const steep = d.less(width, height);
    const upper = d.keep(bitselect(d.sub(d.constant(Math.PI / 2), low), low, steep));
    const left = simd(204, x!, i32(63));
    return d.withSign(d.keep(bitselect(d.sub(d.constant(Math.PI), upper), upper, d.keep(left))), y!);
  },
  sinh: (d, x) => {
    const [up, down] = halves(d, x!);
    const large = d.keep(d.withSign(d.keep(d.sub(up, down)), x!));
    return orSeries(d, x!, 0.5, large, sinhSeries);
  },
  cosh: (d, x) => {
    const [up, down] = halves(d, x!);
    return d.add(up, down);
  },
  tanh: (d, x) => {
    // Beyond 20 it is 1.
    const m = d.keep(d.expm1(d.keep(d.mul(simd(244, d.abs(x!), d.constant(20)), d.constant(2)))));
    return d.withSign(d.keep(d.div(m, d.add(m, d.constant(2)))), x!);
  },
  asinh: (d, x) => {
    const a = d.keep(d.abs(x!));
    const square = d.keep(d.mul(a, a));
    const rest = d.div(square, d.add(d.constant(1), d.sqrt(d.add(square, d.constant(1)))));
    const usual = d.keep(d.log1p(d.keep(d.add(a, rest))));
    const large = d.keep(d.add(d.log(a), d.constant(Math.LN2)));
    return d.withSign(d.keep(bitselect(large, usual, d.less(d.constant(far), a))), x!);
  },
  acosh: (d, x) => {
    const t = d.keep(d.sub(x!, d.constant(1)));
    const usual = d.keep(d.log1p(d.keep(d.add(t, d.mul(d.sqrt(t), d.sqrt(d.add(t, d.constant(2))))))));
    const large = d.keep(d.add(d.log(x!), d.constant(Math.LN2)));
    return bitselect(large, usual, d.less(d.constant(far), x!));
  },
  atanh: (d, x) => {
    const a = d.keep(d.abs(x!));
    const quotient = d.keep(d.div(d.add(a, a), d.sub(d.constant(1), a)));
    return d.withSign(d.keep(d.mul(d.log1p(quotient), d.constant(0.5))), x!);
  },
  erf: (d, x) => {
    const a = d.keep(d.abs(x!));
    const tail = d.keep(d.sub(d.constant(1), d.erfcPositive(d.keep(simd(245, a, d.constant(0.5))))));
    return d.withSign(d.keep(bitselect(d.keep(d.erfSmall(a)), tail, d.less(a, d.constant(1)))), x!);
  },
  erfc: (d, x) => {
    const a = d.keep(d.abs(x!));
    const positive = d.keep(d.erfcPositive(a));
    const large = d.keep(bitselect(d.sub(d.constant(2), positive), positive, d.less(x!, d.constant(0))));
    return bitselect(d.sub(d.constant(1), d.erfSmall(x!)), large, d.less(a, d.constant(0.5)));
  },
  /** Of quotients below 2²⁹ and numbers of float32: the product is then exact, and the quotient one off at most. */
  fmod: (d, a, b) => {
    const size = d.keep(d.abs(b!));
    const dividend = d.keep(d.abs(a!));
    const quotient = simd(122, d.div(dividend, size));
    const first = d.keep(d.sub(dividend, d.mul(quotient, size)));
    const second = d.keep(bitselect(d.add(first, size), first, d.less(first, d.constant(0))));
    const third = d.keep(bitselect(second, d.sub(second, size), d.less(second, size)));
    const endless = simd(78, d.equal(size, d.constant(Number.POSITIVE_INFINITY)), d.less(dividend, size));
    return d.withSign(d.keep(bitselect(dividend, third, d.keep(endless))), a!);
  },
} satisfies Record<string, Shared>;

/** sinh(x) / x in x². */
const sinhSeries = [1, 1 / 6, 1 / 120, 1 / 5040, 1 / 362880, 1 / 39916800, 1 / 6227020800];
