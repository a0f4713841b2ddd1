import { type Code, i32, simd } from "../asm/code.ts";
import { inDoubles } from "./doubles.ts";
import type { Emit } from "./operations.ts";
import { mostReduced, orHost, type Shared, shared } from "./shared-functions.ts";
import { bitselect, type Vector } from "./vector.ts";

/** A function of float32 vectors worked out in double precision. */
const double =
  (f: Shared): Emit =>
  (v, _type, operands) =>
    inDoubles(v, operands, f);

/** Σ coefficients[k] · xᵏ in float32. */
const polynomial = (v: Vector, x: Code, coefficients: readonly number[]): Code =>
  coefficients.map((c) => v.constant("f32", c)).reduceRight((sum, c) => v.madd("f32", sum, x, c));

/** In float32: the commonest function, and its reduction is exact enough. */
const exp: Emit = (v, _type, [x]) => {
  const number = (value: number) => v.constant("f32", value);
  const bounded = v.keep(simd(235, simd(234, x!, number(89)), number(-104)));
  // Adding 1.5 · 2^23 leaves the nearest integer in the low bits.
  const magic = number(12582912);
  const shifted = v.keep(v.madd("f32", bounded, number(Math.LOG2E), magic));
  const n = v.keep(simd(229, shifted, magic));
  const near = v.madd("f32", n, number(-0.693145752), bounded);
  const r = v.keep(v.madd("f32", n, number(-1.42860682e-6), near));
  const rest = polynomial(v, r, [0.4999999955, 0.1666657729, 0.04166685321, 0.008363146137, 0.001390130395]);
  const p = simd(228, v.madd("f32", v.keep(simd(230, r, r)), rest, r), number(1));
  // 2ⁿ in two factors: the exponents −150 and 129 leave the field.
  const whole = v.keep(simd(177, shifted, magic));
  const half = v.keep(simd(172, whole, i32(1)));
  const power = (exponent: Code) => simd(171, simd(174, exponent, v.bits(127)), i32(23));
  return simd(230, simd(230, p, power(half)), power(simd(177, whole, half)));
};

/** In float32, after Cephes: the mantissa between √½ and √2, a polynomial, and the exponent in two parts. */
const log: Emit = (v, _type, [x]) => {
  const number = (value: number) => v.constant("f32", value);
  const tiny = v.keep(simd(67, x!, number(2 ** -126)));
  const scaled = v.keep(bitselect(simd(230, x!, number(2 ** 23)), x!, tiny));
  const exponent = v.keep(simd(172, simd(177, scaled, v.bits(0x3f3504f3)), i32(23)));
  const f = v.keep(simd(229, simd(177, scaled, simd(171, exponent, i32(23))), number(1)));
  const e = v.keep(simd(229, simd(250, exponent), simd(78, tiny, number(23))));
  const p = polynomial(v, f, logCoefficients);
  const square = v.keep(simd(230, f, f));
  const cubic = simd(230, v.keep(simd(230, square, f)), p);
  const low = v.madd("f32", e, number(-2.1219444e-4), cubic);
  const middle = v.madd("f32", square, number(-0.5), low);
  const result = v.madd("f32", e, number(0.693359375), simd(228, f, middle));
  // Of what is not a positive finite number: 0 gives −∞, negative numbers NaN, the others themselves.
  const zero = number(0);
  const usual = v.keep(simd(78, simd(68, x!, zero), simd(67, x!, number(Infinity))));
  const edge = bitselect(number(Number.NaN), x!, simd(67, x!, zero));
  return bitselect(v.keep(result), bitselect(number(-Infinity), edge, simd(65, x!, zero)), usual);
};

const logCoefficients = [
  0.3333333117, -0.2499999399, 0.2000071474, -0.1666805763, 0.1424932352, -0.124201414, 0.1167699206, -0.1151460768,
  0.07037701313,
];

/** In float32: 1 − 2 / (e²ˣ + 1), and a polynomial where that would cancel. */
const tanh: Emit = (v, type, [x]) => {
  const number = (value: number) => v.constant("f32", value);
  const z = v.keep(simd(230, x!, x!));
  const rest = polynomial(v, z, [-0.33333328, 0.13332719, -0.053843311, 0.020961521, -0.0060454032]);
  const small = v.keep(v.madd("f32", v.keep(simd(230, x!, z)), rest, x!));
  const magnitude = v.keep(simd(224, x!));
  const e = exp(v, type, [v.keep(simd(228, magnitude, magnitude))], type);
  const large = v.keep(simd(229, number(1), simd(231, number(2), simd(228, e, number(1)))));
  const either = v.keep(bitselect(small, large, simd(67, magnitude, number(0.625))));
  // The sign of x, also of −0.
  return bitselect(x!, either, number(-0));
};

/** In float32: beyond 0.92 as 1 − erfc, of which few digits matter. */
const erf: Emit = (v, type, [x]) => {
  const number = (value: number) => v.constant("f32", value);
  const z = v.keep(simd(230, x!, x!));
  const rest = polynomial(
    v,
    z,
    [1.12837915, -0.3761249357, 0.1128181495, -0.02676657145, 0.004993113369, -0.0005990507253],
  );
  const small = v.keep(simd(230, x!, rest));
  const magnitude = v.keep(simd(224, x!));
  const bounded = v.keep(simd(234, magnitude, number(4.2)));
  const t = v.keep(simd(231, number(2), simd(228, bounded, number(2))));
  const decay = exp(v, type, [v.keep(simd(225, simd(230, bounded, bounded)))], type);
  const tail = simd(230, polynomial(v, t, erfcCoefficients), decay);
  const signed = v.keep(bitselect(x!, v.keep(simd(229, number(1), tail)), number(-0)));
  return bitselect(small, signed, simd(67, magnitude, number(0.92)));
};

/** erfc(x) · exp(x²) in t = 2 / (2 + x), 0.9 ≤ x ≤ 4.2. */
const erfcCoefficients = [
  0.0005567527177, 0.2741894925, 0.328175258, 0.1076958415, 0.3954373902, -0.05174875556, -0.05499557695,
];

/** Circular functions of float32. */
function circular(name: "sin" | "cos" | "tan", f: Shared): Emit {
  return orHost(name, (v, x) => simd(67, simd(224, x!), v.constant("f32", mostReduced)), double(f));
}

/** By the whole quotient, which is exact in double precision unless it is huge. */
const fmod: Emit = orHost(
  "fmod",
  (v, a, b) => simd(67, simd(224, simd(231, a!, b!)), v.constant("f32", 2 ** 28)),
  double(shared.fmod),
);

/** C's pow from log and exp of doubles; what that cannot know is put right in float32. */
const pow: Emit = (v, _type, [a, b]) => {
  const number = (value: number) => v.constant("f32", value);
  const magnitude = v.keep(simd(224, a!));
  const power = v.keep(inDoubles(v, [magnitude, b!], (d, x, y) => d.exp(d.keep(d.mul(y, d.keep(d.log(x)))))));
  const whole = (y: Code) => simd(65, simd(106, y), y);
  const integer = v.keep(whole(b!));
  const odd = v.keep(simd(79, integer, whole(v.keep(simd(230, b!, number(0.5))))));
  const negative = v.keep(simd(67, a!, number(0)));
  const signed = v.keep(simd(80, power, simd(78, simd(78, a!, number(-0)), odd)));
  // A negative finite base takes whole exponents only.
  const undefinedPower = simd(78, simd(79, negative, integer), simd(67, magnitude, number(Infinity)));
  const usual = v.keep(bitselect(number(Number.NaN), signed, undefinedPower));
  // 1 to any power, anything to the power 0, and −1 to an infinite one are 1.
  const endless = simd(65, simd(224, b!), number(Infinity));
  const ones = simd(80, simd(65, a!, number(1)), simd(78, simd(65, magnitude, number(1)), endless));
  return bitselect(number(1), usual, simd(80, ones, simd(65, b!, number(0))));
};

/** Functions of float32 vectors, each within the error that the table of operations allows. */
export const functions = {
  exp,
  log,
  pow,
  tanh,
  erf,
  expm1: double(shared.expm1),
  log1p: double(shared.log1p),
  log2: double(shared.log2),
  sin: circular("sin", shared.sin),
  cos: circular("cos", shared.cos),
  tan: circular("tan", shared.tan),
  asin: double(shared.asin),
  acos: double(shared.acos),
  atan: double(shared.atan),
  atan2: double(shared.atan2),
  sinh: double(shared.sinh),
  cosh: double(shared.cosh),
  asinh: double(shared.asinh),
  acosh: double(shared.acosh),
  atanh: double(shared.atanh),
  erfc: double(shared.erfc),
  fmod,
} satisfies Record<string, Emit>;
