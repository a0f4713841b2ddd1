import { type Code, i32, shuffle32, simd, V128 } from "../asm/code.ts";
import { Doubles } from "./doubles.ts";
import { bitselect } from "./vector.ts";

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
/** Coefficients 0 to `count` − 1 of a power series. */
const series = (count: number, coefficient: (k: number) => number): number[] =>
  Array.from({ length: count }, (_, k) => coefficient(k));

/** The functions of `Doubles` to the last few bits: what float64 needs. Where nothing else is said, polynomials are Taylor's. */
export class FullDoubles extends Doubles {
  /** A pattern of 64 bits in both lanes. */
  #bits(name: string, high: number, low: number): Code {
    const word = (value: number) => [...new Uint8Array(new Int32Array([value]).buffer)];
    return this.v.fn.constant(name, V128, [0xfd, 12, ...[low, high, low, high].flatMap(word)]);
  }

  /** eˣ of |x| ≤ ln 2 / 2, less 1. */
  #expRest(r: Code): Code {
    return this.mul(r, this.polynomial(r, expRest));
  }

  override exp(x: Code): Code {
    const bounded = this.keep(simd(245, simd(244, x, this.constant(710)), this.constant(-746)));
    const magic = this.constant(6755399441055744);
    const shifted = this.keep(this.add(this.mul(bounded, this.constant(Math.LOG2E)), magic));
    const n = this.keep(this.sub(shifted, magic));
    // The first part of ln 2 has 32 bits: its multiples are exact.
    const near = this.keep(this.sub(bounded, this.mul(n, this.constant(0.6931471803691238))));
    const r = this.keep(this.sub(near, this.mul(n, this.constant(1.9082149292705877e-10))));
    const p = this.add(this.#expRest(r), this.constant(1));
    // 2ⁿ in two factors: −1075 and 1024 leave the field of the exponent.
    const whole = this.keep(simd(209, shifted, magic));
    const half = this.keep(simd(204, whole, i32(1)));
    const power = (e: Code) => simd(203, simd(206, e, this.#bits("bias", 0, 1023)), i32(52));
    return this.mul(this.mul(p, power(half)), power(simd(209, whole, half)));
  }

  override expm1(x: Code): Code {
    const small = this.keep(this.#expRest(x));
    const large = this.keep(this.sub(this.exp(x), this.constant(1)));
    return bitselect(small, large, this.less(this.abs(x), this.constant(0.35)));
  }

  /** Exponent e and logarithm of the rest m of x = 2ᵉ m, m between √½ and √2; x is positive and finite. */
  #split(x: Code): { readonly e: Code; readonly log: Code } {
    const tiny = this.keep(this.less(x, this.constant(2 ** -1022)));
    const scaled = this.keep(bitselect(this.mul(x, this.constant(2 ** 54)), x, tiny));
    // The exponent is that of x / √½.
    const root = this.#bits("root½", 0x3fe6a09e, 0x667f3bcd);
    const exponent = this.keep(simd(204, this.keep(simd(209, scaled, root)), i32(52)));
    const m = this.keep(simd(209, scaled, this.keep(simd(203, exponent, i32(52)))));
    const one = this.constant(1);
    const s = this.keep(this.div(this.sub(m, one), this.add(m, one)));
    const z = this.keep(this.mul(s, s));
    const log = this.keep(this.mul(s, this.add(this.constant(2), this.mul(z, this.polynomial(z, logRest)))));
    const counted = simd(254, this.keep(shuffle32(exponent, exponent, [0, 2, 0, 2])));
    return { e: this.keep(this.sub(counted, simd(78, tiny, this.constant(54)))), log };
  }

  /** `result` where x is positive and finite; 0 gives −∞, less NaN, ∞ and NaN themselves. */
  #logEdges(x: Code, result: Code): Code {
    const zero = this.constant(0);
    const usual = this.keep(simd(78, simd(74, x, zero), this.less(x, this.constant(Number.POSITIVE_INFINITY))));
    const below = bitselect(this.constant(Number.NaN), x, this.less(x, zero));
    const edge = bitselect(this.constant(Number.NEGATIVE_INFINITY), below, this.equal(x, zero));
    return bitselect(this.keep(result), edge, usual);
  }

  override log(x: Code): Code {
    const { e, log } = this.#split(x);
    const low = this.add(log, this.mul(e, this.constant(1.9082149292705877e-10)));
    return this.#logEdges(x, this.add(this.mul(e, this.constant(0.6931471803691238)), low));
  }

  override log2(x: Code): Code {
    const { e, log } = this.#split(x);
    return this.#logEdges(x, this.add(e, this.mul(log, this.constant(Math.LOG2E))));
  }

  override quadrant(x: Code): { readonly sin: Code; readonly cos: Code; readonly multiple: Code } {
    const magic = this.constant(6755399441055744);
    const multiple = this.keep(this.add(this.mul(x, this.constant(2 / Math.PI)), magic));
    const n = this.keep(this.sub(multiple, magic));
    // Two parts of 33 bits, whose multiples are exact, and the rest.
    const first = this.keep(this.sub(x, this.mul(n, this.constant(PI_2[0]))));
    const second = this.keep(this.sub(first, this.mul(n, this.constant(PI_2[1]))));
    const r = this.keep(this.sub(second, this.mul(n, this.constant(PI_2[2]))));
    const z = this.keep(this.mul(r, r));
    const sin = this.add(r, this.mul(this.keep(this.mul(r, z)), this.polynomial(z, sinRest)));
    // 1 − z/2 is exact enough only with what the subtraction loses put back.
    const half = this.keep(this.mul(z, this.constant(0.5)));
    const head = this.keep(this.sub(this.constant(1), half));
    const lost = this.sub(this.sub(this.constant(1), head), half);
    const cos = this.add(head, this.add(lost, this.mul(this.keep(this.mul(z, z)), this.polynomial(z, cosRest))));
    // The sum loses the sign of −0.
    return { sin: this.keep(this.withSign(this.keep(sin), r)), cos: this.keep(cos), multiple };
  }

  protected override get atanCoefficients(): readonly number[] {
    return atanFit;
  }

  override erfSmall(x: Code): Code {
    return this.mul(x, this.polynomial(this.keep(this.mul(x, x)), erfSeries));
  }

  override erfcPositive(x: Code): Code {
    // erfc(x) · exp(x²) · (x + 3) is smooth in (x − 3) / (x + 3); beyond 27.3 the result is 0.
    const bounded = this.keep(simd(244, x, this.constant(27.3)));
    const sum = this.keep(this.add(bounded, this.constant(3)));
    const t = this.keep(this.div(this.sub(bounded, this.constant(3)), sum));
    const factor = this.keep(this.div(this.polynomial(t, erfcFit), sum));
    // The square of the upper half of x is exact; the rest is small enough for three terms.
    const head = this.keep(simd(78, bounded, this.#bits("upper half", -1, -0x8000000)));
    const rest = this.keep(this.mul(this.sub(head, bounded), this.add(head, bounded)));
    const decay = this.exp(this.keep(this.neg(this.mul(head, head))));
    return this.mul(this.mul(factor, decay), this.add(this.constant(1), this.#expRest(rest)));
  }
}

const PI_2 = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;
/** (eʳ − 1) / r. */
const expRest = series(13, (k) => 1 / factorial(k + 1));
/** (log((1 + s) / (1 − s)) / s − 2) / z, z = s². */
const logRest = series(11, (k) => 2 / (2 * k + 3));
/** (sin r / r − 1) / z and (cos r − 1 + z / 2) / z², z = r². */
const sinRest = series(9, (k) => (k % 2 ? 1 : -1) / factorial(2 * k + 3));
const cosRest = series(8, (k) => (k % 2 ? -1 : 1) / factorial(2 * k + 4));
/** erf(x) / x in x², |x| ≤ 1. */
const erfSeries = series(20, (k) => ((k % 2 ? -1 : 1) * 2) / Math.sqrt(Math.PI) / (factorial(k) * (2 * k + 1)));
/** atan(√z) / √z, √z ≤ tan(π / 8), fitted at Chebyshev's points in 60 digits; and so the next. */
const atanFit = [
  1, -0.33333333333333326, 0.19999999999997012, -0.1428571428532936, 0.11111111085301238, -0.0909090805829841,
  0.07692281083678901, -0.06666205023178091, 0.058768317098427496, -0.05217297919655059, 0.044994415067496046,
  -0.03338645225903317, 0.01511237643149517,
];
/** erfc(x) · exp(x²) · (x + 3) in t = (x − 3) / (x + 3), 0.5 ≤ x ≤ 27.3. */
const erfcFit = [
  1.0740069070883398, -0.8833944531698821, 0.5902283571040937, -0.31046726190075175, 0.11952776128770835,
  -0.02682723461809343, -0.0012124166356810022, 0.0030340619001303767, -0.0005483096026795116, -0.00027677697078683705,
  0.0001075609365218964, 3.039362690391325e-5, -1.7468453770030112e-5, -4.734581984684303e-6, 2.7602916746304565e-6,
  9.692486986786301e-7, -4.005364474512118e-7, -1.9691567246385408e-7, 4.042647535494242e-8, 2.5095754214092927e-8,
];
