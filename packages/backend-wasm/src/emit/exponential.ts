import { type Code, i32, simd } from "../asm/code.ts";
import type { Emit } from "./operations.ts";
import { bitselect, float32, type Vector } from "./vector.ts";

/** 1.5 · 2²³: adding it leaves the nearest integer in the low bits. */
const magic = 12582912;
/** 1 as bits of float32: the exponent's bias in place. */
const one = 0x3f800000;

/** 2ⁿ from n in the low bits. */
const power = (v: Vector, shifted: Code): Code => v.keep(simd(174, simd(171, shifted, i32(23)), v.bits(one)));

/**
 * eˣ as p · 2ᵐ · 2ᵐ, p = 1 + `rest` between ½ and 2: m leaves the exponent's field nowhere, results may be subnormal or infinite,
 * and nothing need be told apart.
 */
function halved(v: Vector, x: Code): { readonly rest: Code; readonly power: Code } {
  const { number, madd, keep, polynomial } = float32(v);
  const bounded = keep(simd(235, simd(234, x, number(89)), number(-104)));
  const shifted = keep(madd(bounded, number(Math.LOG2E / 2), number(magic)));
  const m = keep(simd(229, shifted, number(magic)));
  // The first part of 2 ln 2 has so few bits that its multiples are exact.
  const near = madd(m, number(-1.386291504), bounded);
  const r = keep(madd(m, number(-2.85721364e-6), near));
  const square = keep(simd(230, r, r));
  return { rest: keep(madd(square, polynomial(r, wideRest, square), r)), power: power(v, shifted) };
}

/** (eʳ − 1 − r) / r², |r| ≤ ln 2. */
const wideRest = [0.5000003646, 0.1666661106, 0.04166107305, 0.008336212615, 0.00141084113, 0.0001960671676];

/** The commonest function, and float32 is exact enough for it. */
export const exp: Emit = (v, _type, [x]) => {
  const { rest, power } = halved(v, x!);
  return simd(230, float32(v).madd(rest, power, power), power);
};

/** `result` with the sign of `x` where it is a zero; elsewhere the signs are the same. */
const signed = (v: Vector, result: Code, x: Code): Code => simd(80, result, simd(78, x, v.constant("f32", -0)));

/** (`rest` · 2ᵐ + 2ᵐ − 2⁻ᵐ) · 2ᵐ. */
export const expm1: Emit = (v, _type, [x]) => {
  const { rest, power } = halved(v, x!);
  const inverse = simd(177, v.bits(2 * one), power);
  return signed(v, simd(230, float32(v).madd(rest, power, simd(229, power, inverse)), power), x!);
};

/** eˣ − 1 of |x| ≤ 30, where what rounding x does to it does not matter. */
function expLess1(v: Vector, x: Code): Code {
  const { number, madd, keep, polynomial } = float32(v);
  const shifted = keep(madd(x, number(Math.LOG2E), number(magic)));
  const r = keep(madd(keep(simd(229, shifted, number(magic))), number(-Math.LN2), x));
  const square = keep(simd(230, r, r));
  const rest = keep(madd(square, polynomial(r, expRest, square), r));
  const factor = power(v, shifted);
  return keep(madd(rest, factor, simd(229, factor, number(1))));
}

/** The same, |r| ≤ ln 2 / 2. */
const expRest = [0.4999999305, 0.1666651479, 0.041668457, 0.008369418573, 0.001381313473];

/** (e²ˣ − 1) / (e²ˣ + 1); beyond 10 it is 1. */
export const tanh: Emit = (v, _type, [x]) => {
  const { number, keep } = float32(v);
  const magnitude = keep(simd(224, x!));
  const m = expLess1(v, keep(simd(234, simd(228, magnitude, magnitude), number(20))));
  return signed(v, simd(231, m, simd(228, m, number(2))), x!);
};

/** 1 − e^−h, with h = −log erfc |x|, for which a polynomial will do; beyond 3.93 it is 1. */
export const erf: Emit = (v, _type, [x]) => {
  const { number, madd, keep, polynomial } = float32(v);
  const magnitude = keep(simd(234, simd(224, x!), number(3.93)));
  const slope = madd(magnitude, polynomial(magnitude, logErfc), number(-1.128379172));
  const h = keep(simd(230, magnitude, slope));
  return bitselect(x!, expLess1(v, h), number(-0));
};

/** (log erfc(x) / x + 2 / √π) / x, 0 ≤ x ≤ 3.93, as its error counts in erf. */
const logErfc = [
  -0.6366193818, -0.1027778325, 0.01915307172, 0.0001603805946, -0.001667010653, 0.0006328268009, -0.000117638193,
  9.255889956e-6,
];
