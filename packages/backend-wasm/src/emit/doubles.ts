import { type Code, i32, shuffle32, simd } from "../asm/code.ts";
import { bitselect, type Vector } from "./vector.ts";

/**
 * Functions of two doubles at a time, good to some 1e-10: what float32 needs after rounding, without the care that working in
 * float32 itself would take. Coefficients are minimax fits (Remez exchange in 40 digits) over the reduced ranges named.
 */
export class Doubles {
  readonly v: Vector;

  constructor(v: Vector) {
    this.v = v;
  }

  constant(value: number): Code {
    return this.v.constant("f64", value);
  }
  keep(value: Code): Code {
    return this.v.keep(value);
  }
  add(a: Code, b: Code): Code {
    return simd(240, a, b);
  }
  sub(a: Code, b: Code): Code {
    return simd(241, a, b);
  }
  mul(a: Code, b: Code): Code {
    return simd(242, a, b);
  }
  div(a: Code, b: Code): Code {
    return simd(243, a, b);
  }
  sqrt(a: Code): Code {
    return simd(239, a);
  }
  abs(a: Code): Code {
    return simd(236, a);
  }
  neg(a: Code): Code {
    return simd(237, a);
  }
  less(a: Code, b: Code): Code {
    return simd(73, a, b);
  }
  equal(a: Code, b: Code): Code {
    return simd(71, a, b);
  }
  /** The magnitude of `a` with the sign of `b`. */
  withSign(a: Code, b: Code): Code {
    return bitselect(b, a, this.constant(-0));
  }

  /** Σ coefficients[k] · xᵏ. */
  polynomial(x: Code, coefficients: readonly number[]): Code {
    return coefficients.map((c) => this.constant(c)).reduceRight((sum, c) => this.v.madd("f64", sum, x, c));
  }

  /** eˣ; beyond ±200, far outside float32, it stays what it is there. */
  exp(x: Code): Code {
    const { v } = this;
    const bounded = this.keep(simd(247, simd(246, x, this.constant(200)), this.constant(-200)));
    // Adding 1.5 · 2^52 leaves the nearest integer in the low bits, from where it moves into the exponent.
    const magic = this.constant(6755399441055744);
    const shifted = this.keep(v.madd("f64", bounded, this.constant(Math.LOG2E), magic));
    const n = this.keep(this.sub(shifted, magic));
    const r = this.keep(v.madd("f64", n, this.constant(-Math.LN2), bounded));
    return simd(206, this.polynomial(r, expCoefficients), simd(203, shifted, i32(52)));
  }

  /** eˣ − 1. */
  expm1(x: Code): Code {
    const large = this.keep(this.sub(this.exp(x), this.constant(1)));
    const series = this.mul(x, this.polynomial(x, [1, 1 / 2, 1 / 6, 1 / 24]));
    return bitselect(this.keep(series), large, this.less(this.abs(x), this.constant(2 ** -8)));
  }

  log2(x: Code): Code {
    return this.mul(this.log(x), this.constant(Math.LOG2E));
  }

  /** The logarithm of a normal number ≥ 0; 0 gives −∞. */
  log(x: Code): Code {
    const { v } = this;
    // The exponent is that of x / √½, so that the rest lies between √½ and √2.
    const offset = v.fn.constant(
      "root",
      0x7b,
      simd(20, [0x44, ...new Uint8Array(new Float64Array([Math.SQRT1_2]).buffer)]),
    );
    const exponent = this.keep(simd(204, this.keep(simd(209, x, offset)), i32(52)));
    const m = this.keep(simd(209, x, this.keep(simd(203, exponent, i32(52)))));
    const s = this.keep(this.div(this.sub(m, this.constant(1)), this.add(m, this.constant(1))));
    const z = this.keep(this.mul(s, s));
    const p = this.polynomial(z, logCoefficients);
    const e = simd(254, this.keep(shuffle32(exponent, exponent, [0, 2, 0, 2])));
    const result = this.keep(v.madd("f64", e, this.constant(Math.LN2), this.mul(s, p)));
    const finite = bitselect(this.constant(-Infinity), result, this.equal(x, this.constant(0)));
    const infinite = this.equal(x, this.constant(Infinity));
    const usual = this.keep(bitselect(x, finite, infinite));
    return bitselect(usual, this.constant(NaN), simd(76, x, this.constant(0)));
  }

  /** log(1 + x), also of tiny x: what rounding 1 + x loses is put back. */
  log1p(x: Code): Code {
    const one = this.constant(1);
    const u = this.keep(this.add(x, one));
    const lost = this.keep(this.sub(x, this.sub(u, one)));
    const log = this.keep(this.log(u));
    const corrected = this.keep(this.add(log, this.div(lost, u)));
    // At u = 0 and ∞ the correction is not a number.
    const defined = this.equal(corrected, corrected);
    return this.withSign(this.keep(bitselect(corrected, log, defined)), x);
  }

  /** sin and cos of the rest after multiples of π/2, and the multiple as the low bits of a 64-bit integer. For |x| up to 2^20. */
  quadrant(x: Code): { readonly sin: Code; readonly cos: Code; readonly multiple: Code } {
    const { v } = this;
    const magic = this.constant(6755399441055744);
    const multiple = this.keep(v.madd("f64", x, this.constant(0.6366197723675814), magic));
    const n = this.keep(this.sub(multiple, magic));
    // The first part of π/2 has 31 fractional bits: its multiples are exact.
    const first = this.sub(x, this.mul(n, this.constant(1.5707963267341256)));
    const r = this.keep(this.sub(first, this.mul(n, this.constant(6.077100506506192e-11))));
    const z = this.keep(this.mul(r, r));
    const sin = this.mul(r, this.polynomial(z, sinCoefficients));
    const cos = this.polynomial(z, cosCoefficients);
    return { sin: this.keep(sin), cos: this.keep(cos), multiple };
  }

  /** A mask of the lanes whose 64-bit integer has bit `n` set. */
  bit(integer: Code, n: number): Code {
    return simd(204, simd(203, integer, i32(63 - n)), i32(63));
  }

  protected get atanCoefficients(): readonly number[] {
    return atanCoefficients;
  }

  atan(x: Code): Code {
    const a = this.keep(this.abs(x));
    const one = this.constant(1);
    const large = this.keep(this.less(this.constant(2.414213562373095), a));
    const middle = this.keep(this.less(this.constant(0.414213562373095), a));
    // tan(a − π/4) and tan(a − π/2), where a is beyond π/8 and 3π/8.
    const top = bitselect(this.constant(-1), bitselect(this.sub(a, one), a, middle), large);
    const bottom = bitselect(a, bitselect(this.add(a, one), one, middle), large);
    const t = this.keep(this.div(top, bottom));
    const z = this.keep(this.mul(t, t));
    const p = this.polynomial(z, this.atanCoefficients);
    const quarter = bitselect(this.constant(Math.PI / 4), this.constant(0), middle);
    const start = bitselect(this.constant(Math.PI / 2), quarter, large);
    return this.withSign(this.keep(this.v.madd("f64", t, p, start)), x);
  }

  /** erf of |x| < 1. */
  erfSmall(x: Code): Code {
    return this.mul(x, this.polynomial(this.keep(this.mul(x, x)), erfCoefficients));
  }

  /** erfc of x ≥ 0. */
  erfcPositive(x: Code): Code {
    // erfc(x) · exp(x²) is smooth in 2 / (2 + x); beyond 10.5 the result is 0 in float32.
    const bounded = this.keep(simd(246, x, this.constant(10.5)));
    const t = this.keep(this.div(this.constant(2), this.add(bounded, this.constant(2))));
    return this.mul(this.polynomial(t, erfcCoefficients), this.exp(this.keep(this.neg(this.mul(bounded, bounded)))));
  }
}

/** eˣ, |x| ≤ ln 2 / 2. */
const expCoefficients = [
  0.99999999999976, 0.99999999998061, 0.50000000006188, 0.16666666885567, 0.041666664217933, 0.0083332670074006,
  0.0013889178867659, 0.00019915435919021, 2.4727151489411e-5,
];
/** 2 atanh(√z) / √z, √z ≤ tanh(ln 2 / 4). */
const logCoefficients = [
  1.9999999999999, 0.66666666679652, 0.39999994872144, 0.28572168020728, 0.22174177059351, 0.19609086212363,
];
/** sin(√z) / √z and cos(√z), √z ≤ π / 4. */
const sinCoefficients = [
  0.99999999999545, -0.16666666630432, 0.0083333286888021, -0.00019839177949669, 2.7171490603335e-6,
];
const cosCoefficients = [
  0.99999999994391, -0.49999999571365, 0.04166661321583, -0.0013886528637445, 2.4372633578044e-5,
];
/** atan(√z) / √z, √z ≤ tan(π / 8). */
const atanCoefficients = [
  0.99999999997929, -0.3333333213414, 0.19999886315577, -0.14281649445652, 0.11041166720305, -0.084596824467825,
  0.04714092029169,
];
/** erf(√z) / √z, z ≤ 1. */
const erfCoefficients = [
  1.128379167058, -0.37612638434667, 0.11283781974341, -0.026865400054936, 0.0052209454669516, -0.00084828293227525,
  0.00011256951259862, -9.6415253753096e-6,
];
/** erfc(x) · exp(x²) in t = 2 / (2 + x), x ≤ 10.6. */
const erfcCoefficients = [
  -5.8997369688646e-7, 0.28211710448499, 0.28171808894187, 0.25058817429084, 0.15168407690278, 0.19563959651403,
  -0.36514154415655, 0.77098312290929, -1.3796719212586, 1.4011781880298, -0.809788302743, 0.25519975095181,
  -0.034505744969017,
];

/** Applies `f` to float32 vectors in double precision, two elements at a time. */
export function inDoubles(v: Vector, operands: readonly Code[], f: (d: Doubles, ...x: Code[]) => Code): Code {
  const d = new Doubles(v);
  const low = v.keep(simd(94, f(d, ...operands.map((x) => v.keep(simd(95, x))))));
  if (v.width === 2 || v.lanes === 1) return low;
  const upper = operands.map((x) => v.keep(simd(95, shuffle32(x, x, [2, 3, 2, 3]))));
  const high = v.keep(simd(94, f(d, ...upper)));
  return shuffle32(low, high, [0, 1, 4, 5]);
}
