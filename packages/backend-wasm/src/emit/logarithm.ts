import { type Code, i32, simd } from "../asm/code.ts";
import type { Emit } from "./operations.ts";
import { orSlow } from "./slow.ts";
import { bitselect, float32, type Vector } from "./vector.ts";

/** After Cephes: the mantissa between √½ and √2, a polynomial, and the exponent in two parts. Of a normal number; `lost` is added to its exponent. */
function positiveLog(v: Vector, x: Code, lost?: Code): Code {
  const { number, madd, keep, polynomial } = float32(v);
  const exponent = keep(simd(172, simd(177, x, v.bits(0x3f3504f3)), i32(23)));
  const f = keep(simd(229, simd(177, x, simd(171, exponent, i32(23))), number(1)));
  const converted = simd(250, exponent);
  const e = keep(lost ? simd(229, converted, lost) : converted);
  const square = keep(simd(230, f, f));
  const p = polynomial(f, logCoefficients, square);
  const cubic = simd(230, keep(simd(230, square, f)), p);
  const low = madd(e, number(-2.1219444e-4), cubic);
  const middle = madd(square, number(-0.5), low);
  return keep(madd(e, number(0.693359375), simd(228, f, middle)));
}

const logCoefficients = [
  0.3333333117, -0.2499999399, 0.2000071474, -0.1666805763, 0.1424932352, -0.124201414, 0.1167699206, -0.1151460768,
  0.07037701313,
];

/** Whether x is positive, normal and finite: one signed comparison of bits, moved to where integers wrap. */
const usual = (v: Vector, x: Code): Code => simd(57, simd(174, x, v.bits(0x7f800000)), v.bits(-0x1000000));

const wholeLog: Emit = (v, _type, [x]) => {
  const { number, keep } = float32(v);
  const tiny = keep(simd(67, x!, number(2 ** -126)));
  const scaled = keep(bitselect(simd(230, x!, number(2 ** 23)), x!, tiny));
  const result = positiveLog(v, scaled, simd(78, tiny, number(23)));
  // Of what is not a positive finite number: 0 gives −∞, negative numbers NaN, the others themselves.
  const zero = number(0);
  const finite = keep(simd(78, simd(68, x!, zero), simd(67, x!, number(Number.POSITIVE_INFINITY))));
  const edge = bitselect(number(Number.NaN), x!, simd(67, x!, zero));
  return bitselect(result, bitselect(number(Number.NEGATIVE_INFINITY), edge, simd(65, x!, zero)), finite);
};

export const log: Emit = orSlow("log", usual, wholeLog, (v, _type, [x]) => positiveLog(v, x!));

/** log(1 + x) with what rounding 1 + x loses put back; signs of zeros are kept. */
export const log1p = (slow: Emit): Emit =>
  orSlow(
    "log1p",
    (v, x) => usual(v, simd(228, x, v.constant("f32", 1))),
    slow,
    (v, _type, [x]) => {
      const { number, keep } = float32(v);
      const u = keep(simd(228, x!, number(1)));
      const lost = simd(229, x!, simd(229, u, number(1)));
      const sum = simd(228, positiveLog(v, u), simd(231, lost, u));
      return simd(80, sum, simd(78, x!, number(-0)));
    },
  );
