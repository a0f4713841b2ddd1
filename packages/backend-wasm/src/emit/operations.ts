import type { Op, ValueType } from "@descent/backend";
import { add, and, type Code, choose, eq, eqz, i32, op, or, simd, sub } from "../asm/code.ts";
import { doubleFunctions } from "./double-functions.ts";
import { functions } from "./functions.ts";
import { bitselect, type Vector } from "./vector.ts";

/** Emits one operation on vectors; operands are cheap to repeat. `type` is that of the operands, for `cast` that of the result. */
export type Emit = (v: Vector, type: ValueType, operands: readonly Code[], from: ValueType) => Code;

type Choice = number | Emit;
type Numbers = readonly [f32: Choice, f64: Choice, i32: Choice, u32: Choice];
const column: Record<ValueType, 0 | 1 | 2 | 3> = { f32: 0, f64: 1, i32: 2, u32: 3, mask: 2 };

const numbers =
  (choices: Numbers | readonly [Choice, Choice]): Emit =>
  (v, type, operands, from) => {
    const choice = choices[column[type]] as Choice;
    return typeof choice === "number" ? simd(choice, ...operands) : choice(v, type, operands, from);
  };

/** A comparison: its operands have the type `from`, and its lanes become as wide as masks are. */
const compare =
  (...[single, double, signed, unsigned]: [number, number, number, number]): Emit =>
  (v, _type, operands, from) => {
    const result = simd([single, double, signed, unsigned][column[from]] as number, ...operands);
    return from === "f64" ? result : v.widen(result);
  };

/** An integer operation that vectors do not have, lane by lane. */
const scalar =
  (f: (a: Code, b: Code) => Code): Emit =>
  (v, type, operands) =>
    v.eachLane(type, type, operands, f as (...x: Code[]) => Code);

/** Keeps a divisor of 0 from trapping, and makes the result 0. */
const guarded =
  (signed: boolean, opcode: number): ((a: Code, b: Code) => Code) =>
  (a, b) => {
    // -2^31 / -1 traps too: there the quotient is the negated dividend and every remainder 0.
    const minusOne = signed ? eq(b, i32(-1)) : i32(0);
    const safe = choose(or(eqz(b), minusOne), i32(1), b);
    const isDivision = opcode === 0x6d || opcode === 0x6e;
    const special = isDivision ? choose(minusOne, sub(i32(0), a), i32(0)) : i32(0);
    return choose(or(eqz(b), minusOne), special, op(opcode, a, safe));
  };

/** Remainder with the sign of the divisor, from one with the sign of the dividend. */
const floored = (a: Code, b: Code): Code => {
  const r = guarded(true, 0x6f)(a, b);
  const differs = and(op(0x47, r, i32(0)), op(0x48, op(0x73, r, b), i32(0)));
  return add(r, choose(differs, b, i32(0)));
};

/** Remainder of floats with the sign of the divisor. */
const floatRemainder: Emit = (v, type, [a, b], from) => {
  const double = type === "f64";
  const r = v.keep((double ? doubleFunctions : functions).fmod(v, type, [a!, b!], from));
  const zero = v.constant(type, 0);
  const less = (x: Code) => simd(double ? 73 : 67, x, zero);
  const differs = simd(78, simd(double ? 72 : 66, r, zero), simd(81, less(r), less(b!)));
  return bitselect(simd(double ? 240 : 228, r, b!), r, differs);
};

const floatSign: Emit = (v, type, [x]) => {
  const [greater, less] = type === "f64" ? [74, 73] : [68, 67];
  const zero = v.constant(type, 0);
  const positive = simd(78, simd(greater, x!, zero), v.constant(type, 1));
  return simd(80, positive, simd(78, simd(less, x!, zero), v.constant(type, -1)));
};

/** Conversions by source and target; what is missing changes no bits. */
const casts: Readonly<Record<string, number>> = {
  "f32 f64": 95,
  "f32 i32": 248,
  "f32 u32": 249,
  "f64 f32": 94,
  "f64 i32": 252,
  "f64 u32": 253,
  "i32 f32": 250,
  "i32 f64": 254,
  "u32 f32": 251,
  "u32 f64": 255,
};

/** Upper halves of the four 64-bit products. */
const mulHigh: Emit = (v, _type, [a, b]) => {
  const odd = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];
  return [simd(222, a!, b!), v.width === 4 ? simd(223, a!, b!) : simd(222, a!, b!), 0xfd, 13, odd];
};

const shift = (signed: number, unsigned: number): Emit =>
  numbers([0, 0, scalar((a, b) => op(signed, a, b)), scalar((a, b) => op(unsigned, a, b))]);

const float = (single: Choice, double: Choice): Emit => numbers([single, double]);
const named = (name: keyof typeof functions & keyof typeof doubleFunctions): Emit =>
  float(functions[name], doubleFunctions[name]);

/** Every scalar operation on vectors. */
export const operations = {
  add: numbers([228, 240, 174, 174]),
  sub: numbers([229, 241, 177, 177]),
  mul: numbers([230, 242, 181, 181]),
  div: numbers([231, 243, scalar(guarded(true, 0x6d)), scalar(guarded(false, 0x6e))]),
  neg: numbers([225, 237, 161, 161]),
  abs: numbers([224, 236, 160, (_v, _type, [x]) => x!]),
  sign: numbers([
    floatSign,
    floatSign,
    (_v, _type, [x]) => simd(80, simd(172, x!, i32(31)), simd(173, simd(161, x!), i32(31))),
    (v, _type, [x]) => simd(183, x!, v.bits(1)),
  ]),
  min: numbers([232, 244, 182, 183]),
  max: numbers([233, 245, 184, 185]),
  remainder: numbers([floatRemainder, floatRemainder, scalar(floored), scalar(guarded(false, 0x70))]),
  fmod: numbers([functions.fmod, doubleFunctions.fmod, scalar(guarded(true, 0x6f)), scalar(guarded(false, 0x70))]),
  floor: float(104, 117),
  ceil: float(103, 116),
  round: float(106, 148),
  trunc: float(105, 122),
  sqrt: float(227, 239),
  rsqrt: float(
    (v, type, [x]) => simd(231, v.constant(type, 1), simd(227, x!)),
    (v, type, [x]) => simd(243, v.constant(type, 1), simd(239, x!)),
  ),
  exp: named("exp"),
  expm1: named("expm1"),
  log: named("log"),
  log1p: named("log1p"),
  log2: named("log2"),
  sin: named("sin"),
  cos: named("cos"),
  tan: named("tan"),
  asin: named("asin"),
  acos: named("acos"),
  atan: named("atan"),
  atan2: named("atan2"),
  sinh: named("sinh"),
  cosh: named("cosh"),
  tanh: named("tanh"),
  asinh: named("asinh"),
  acosh: named("acosh"),
  atanh: named("atanh"),
  erf: named("erf"),
  erfc: named("erfc"),
  pow: named("pow"),
  eq: compare(65, 71, 55, 55),
  ne: compare(66, 72, 56, 56),
  lt: compare(67, 73, 57, 58),
  le: compare(69, 75, 61, 62),
  gt: compare(68, 74, 59, 60),
  ge: compare(70, 76, 63, 64),
  and: numbers([78, 78, 78, 78]),
  or: numbers([80, 80, 80, 80]),
  xor: numbers([81, 81, 81, 81]),
  not: numbers([77, 77, 77, 77]),
  select: (v, type, [mask, yes, no]) => bitselect(yes!, no!, v.maskFor(type, mask!)),
  bitAnd: numbers([78, 78, 78, 78]),
  bitOr: numbers([80, 80, 80, 80]),
  bitXor: numbers([81, 81, 81, 81]),
  shl: shift(0x74, 0x74),
  shr: shift(0x75, 0x76),
  mulHigh,
  cast: (_v, type, [x], from) => {
    const opcode = casts[`${from} ${type}`];
    return opcode === undefined ? x! : simd(opcode, x!);
  },
} satisfies Record<Op, Emit>;
