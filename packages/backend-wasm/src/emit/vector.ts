import type { ValueType } from "@descent/backend";
import type { Assembly, Fn } from "../asm/assembler.ts";
import { type Code, F64, f32, f64, get, i32, lane, op, shuffle32, simd, V128 } from "../asm/code.ts";

/** Opcodes of one number type on whole vectors and on single lanes. */
interface LaneCodes {
  readonly splat: number;
  readonly extract: number;
  readonly replace: number;
}

const lanes32: LaneCodes = { splat: 17, extract: 27, replace: 28 };
export const laneCodes: Record<ValueType, LaneCodes> = {
  f32: { splat: 19, extract: 31, replace: 32 },
  f64: { splat: 20, extract: 33, replace: 34 },
  i32: lanes32,
  u32: lanes32,
  mask: lanes32,
};

/**
 * Emits code on vectors of `width` elements: four, or two in programs that hold doubles (their 32-bit values then live in the
 * two low lanes). Masks have lanes of 32 bits at width 4 and of 64 bits at width 2. `lanes` is how many elements count: all, or 1 in tails.
 */
export class Vector {
  readonly fn: Fn;
  readonly asm: Assembly;
  readonly width: 2 | 4;
  lanes: number;

  constructor(fn: Fn, asm: Assembly, width: 2 | 4) {
    this.fn = fn;
    this.asm = asm;
    this.width = width;
    this.lanes = width;
  }

  /** Evaluates `value` now and gives what reads it again. */
  keep(value: Code): Code {
    return get(this.fn.let(V128, value));
  }

  /** A number in every lane, set once per call. */
  constant(type: ValueType, value: number): Code {
    const name = `${type === "u32" ? "i32" : type}:${Object.is(value, -0) ? "-0" : value}`;
    return this.fn.constant(name, V128, splat(type, scalarConstant(type, value)));
  }

  /** A bit pattern in every 32-bit lane. */
  bits(value: number): Code {
    return this.constant("i32", value | 0);
  }

  /** a · b + c, fused where the engine can. */
  madd(type: "f32" | "f64", a: Code, b: Code, c: Code): Code {
    const double = type === "f64";
    if (this.asm.features.relaxed) return simd(double ? 0x107 : 0x105, a, b, c);
    return simd(double ? 240 : 228, simd(double ? 242 : 230, a, b), c);
  }

  /** Applies a scalar function to every element that counts. */
  eachLane(from: ValueType, to: ValueType, operands: readonly Code[], scalar: (...lanes: Code[]) => Code): Code {
    const kept = operands.map((operand) => this.keep(operand));
    const at = (n: number) => scalar(...kept.map((x) => lane(laneCodes[from].extract, n, x)));
    let result = splat(to, at(0));
    for (let n = 1; n < this.lanes; n++) result = lane(laneCodes[to].replace, n, result, at(n));
    return result;
  }

  /** Calls a function of doubles for every element: for what is rare enough not to have a vector form. */
  host(name: string, type: ValueType, ...operands: Code[]): Code {
    return this.eachLane(type, type, operands, (...x) => {
      if (type === "f64") return this.asm.callImport(name, ...x);
      return op(0xb6, this.asm.callImport(name, ...x.map((value) => op(0xbb, value))));
    });
  }

  /** A mask of 64-bit lanes from one in the low 32-bit lanes, in programs of width 2. */
  widen(mask: Code): Code {
    return this.width === 4 ? mask : shuffle32(this.keep(mask), i32x4zero, [0, 0, 1, 1]);
  }

  /** A mask as wide as the lanes of `type`. */
  maskFor(type: ValueType, mask: Code): Code {
    return this.width === 4 || type === "f64" ? mask : shuffle32(this.keep(mask), i32x4zero, [0, 2, 4, 4]);
  }
}

/** What functions of float32 are made of. */
export const float32 = (v: Vector) => ({
  number: (value: number): Code => v.constant("f32", value),
  madd: (a: Code, b: Code, c: Code): Code => v.madd("f32", a, b, c),
  keep: (value: Code): Code => v.keep(value),
  /** Σ coefficients[k] · xᵏ; where x² is at hand, in pairs, which halves the chain of dependent instructions and adds none. */
  polynomial(x: Code, coefficients: readonly number[], square?: Code): Code {
    const terms = coefficients.map((c) => v.constant("f32", c));
    if (!square) return terms.reduceRight((sum, c) => v.madd("f32", sum, x, c));
    return terms
      .flatMap((c, k) => (k % 2 ? [] : [terms[k + 1] ? v.keep(v.madd("f32", x, terms[k + 1]!, c)) : c]))
      .reduceRight((sum, pair) => v.madd("f32", sum, square, pair));
  },
});

const i32x4zero: Code = simd(17, i32(0));

export function scalarConstant(type: ValueType, value: number): Code {
  if (type === "f32") return f32(value);
  return type === "f64" ? f64(value) : i32(value);
}

export const splat = (type: ValueType, value: Code): Code => simd(laneCodes[type].splat, value);
export const wasmType = (type: ValueType): number => (type === "f32" ? 0x7d : type === "f64" ? F64 : 0x7f);
/** Where the mask is set the bits of `yes`, elsewhere those of `no`. */
export const bitselect = (yes: Code, no: Code, mask: Code): Code => simd(82, yes, no, mask);
