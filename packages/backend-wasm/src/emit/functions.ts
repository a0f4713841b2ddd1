import { type Code, simd } from "../asm/code.ts";
import { cos, sin } from "./circular.ts";
import { inDoubles } from "./doubles.ts";
import { erf, exp, expm1, tanh } from "./exponential.ts";
import { log, log1p } from "./logarithm.ts";
import type { Emit } from "./operations.ts";
import { mostReduced, orHost, type Shared, shared } from "./shared-functions.ts";
import { bitselect } from "./vector.ts";

/** A function of float32 vectors worked out in double precision. */
const double =
  (f: Shared): Emit =>
  (v, _type, operands) =>
    inDoubles(v, operands, f);

/** Circular functions of float32 in double precision, for what is not reduced in single. */
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
  expm1,
  log1p: log1p(double(shared.log1p)),
  log2: double(shared.log2),
  sin: sin(circular("sin", shared.sin)),
  cos: cos(circular("cos", shared.cos)),
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
