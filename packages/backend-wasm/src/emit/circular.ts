import { type Code, i32, simd } from "../asm/code.ts";
import type { Emit } from "./operations.ts";
import { orSlow } from "./slow.ts";
import { float32 } from "./vector.ts";

/** π in parts. Fused products are exact, so that whole floats will do; others are where n has 11 bits and the parts 13. */
const fusedParts = [3.141592502593994, 1.5099578831723193e-7, 1.0780605906948477e-14];
const shortParts = [3.14111328125, 0.0004793405532836914, 3.1781382858753204e-8, 5.126688136514179e-12];
const [mostFused, mostShort] = [30000, 3200];

/**
 * sin(x + shift · π) for a shift of 0 or ½: the rest within ±π/2 after the nearest multiple of π, negated where that is odd. What is
 * larger is left to `slow`.
 */
const circular = (name: string, shift: 0 | 0.5, slow: Emit): Emit =>
  orSlow(
    name,
    (v, x) => simd(67, simd(224, x), v.constant("f32", v.asm.features.relaxed ? mostFused : mostShort)),
    slow,
    (v, _type, [x]) => {
      const { number, madd, keep, polynomial } = float32(v);
      // Adding 1.5 · 2^23 leaves the nearest integer in the low bits.
      const magic = number(12582912);
      const inverse = number(1 / Math.PI);
      const shifted = keep(shift ? simd(228, madd(x!, inverse, number(shift)), magic) : madd(x!, inverse, magic));
      const whole = simd(229, shifted, magic);
      const n = keep(shift ? simd(229, whole, number(shift)) : whole);
      const parts = v.asm.features.relaxed ? fusedParts : shortParts;
      const r = keep(parts.reduce((rest: Code, part) => keep(madd(n, number(-part), rest)), x!));
      const z = keep(simd(230, r, r));
      const sine = madd(simd(230, r, z), polynomial(z, sinRest), r);
      const result = shift ? sine : simd(80, sine, simd(78, r, number(-0))); // the sign of −0
      return simd(81, result, simd(171, shifted, i32(31)));
    },
  );

export const sin = (slow: Emit): Emit => circular("sin", 0, slow);
export const cos = (slow: Emit): Emit => circular("cos", 0.5, slow);

/** (sin √z / √z − 1) / z, √z ≤ π / 2. */
const sinRest = [-0.1666666663, 0.00833333109, -0.0001984086576, 2.752525569e-6, -2.388659036e-8];
