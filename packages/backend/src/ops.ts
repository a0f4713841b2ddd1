import type { ValueType } from "./dtype.ts";
import * as special from "./special.ts";
import type { Value } from "./value.ts";

/**
 * What an operation takes and gives: `float` (f32, f64), `number` (any number type), `bits` (i32, u32), all same in and out;
 * `compare` numbers to a mask, `logic` masks to a mask; `select` (mask, T, T) to T; `cast` number to number.
 */
export type Signature = "float" | "number" | "bits" | "compare" | "logic" | "select" | "cast";

/** The derivative of `y = op(...x)`: for every argument, what the gradient `g` of y contributes to it (null: nothing). */
export type Derivative = (g: Value, y: Value, ...x: Value[]) => readonly (Value | null)[];

interface Row {
  readonly signature: Signature;
  readonly arity: number;
  /** The meaning, in double precision; masks are 0 and 1. The executor rounds or wraps the result to the value's type. */
  readonly reference: (a: number, b: number, c: number) => number;
  /** The meaning on integers, where it differs. Operands are in range; the result is wrapped. */
  readonly integer?: (a: number, b: number) => number;
  /** Error allowed in float32, in units in the last place of the exact result. */
  readonly ulp: number;
  readonly derivative?: Derivative;
}

const float = (arity: number, ulp: number, reference: Row["reference"], derivative?: Derivative): Row =>
  derivative
    ? { signature: "float", arity, ulp, reference, derivative }
    : { signature: "float", arity, ulp, reference };
const number = (
  arity: number,
  reference: Row["reference"],
  derivative?: Derivative,
  integer?: Row["integer"],
): Row => ({
  signature: "number",
  arity,
  ulp: 0,
  reference,
  ...(derivative && { derivative }),
  ...(integer && { integer }),
});
const compare = (reference: (a: number, b: number) => boolean): Row => ({
  signature: "compare",
  arity: 2,
  ulp: 0,
  reference: (a, b) => Number(reference(a, b)),
});
const logic = (arity: number, reference: (a: number, b: number) => boolean): Row => ({
  signature: "logic",
  arity,
  ulp: 0,
  reference: (a, b) => Number(reference(a, b)),
});
const bits = (integer: (a: number, b: number) => number): Row => ({
  signature: "bits",
  arity: 2,
  ulp: 0,
  reference: integer,
  integer,
});

/** Where two arguments tie, each gets half; where one is NaN, both get all: PyTorch's rule for minimum and maximum. */
const chosen = (g: Value, a: Value, b: Value, loses: "lt" | "gt"): Value[] => {
  const share = (x: Value, other: Value) => x.eq(other).select(g.mul(0.5), x[loses](other).select(0, g));
  return [share(a, b), share(b, a)];
};

const none: Derivative = () => [];
const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * Every scalar operation there is: one row each. Adding one means a row here, a method in `value.ts`, and an entry in each
 * backend's emitter, whose table `satisfies Record<Op, …>`, so that the compiler names what is missing.
 */
export const ops = {
  add: number(
    2,
    (a, b) => a + b,
    (g) => [g, g],
  ),
  sub: number(
    2,
    (a, b) => a - b,
    (g) => [g, g.neg()],
  ),
  mul: number(
    2,
    (a, b) => a * b,
    (g, _y, a, b) => [g.mul(b as Value), g.mul(a as Value)],
    Math.imul,
  ),
  /** On integers: truncated towards zero, and 0 where the divisor is 0. */
  div: number(
    2,
    (a, b) => a / b,
    (g, y, _a, b) => [
      g.div(b as Value),
      g
        .neg()
        .mul(y)
        .div(b as Value),
    ],
    (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  ),
  neg: number(
    1,
    (a) => -a,
    (g) => [g.neg()],
  ),
  abs: number(1, Math.abs, (g, _y, a) => [g.mul((a as Value).sign())]),
  /** NaN gives 0. */
  sign: number(1, (a) => (a > 0 ? 1 : a < 0 ? -1 : 0), none),
  /** NaN where either is NaN. */
  min: number(
    2,
    (a, b) => Math.min(a, b),
    (g, _y, a, b) => chosen(g, a as Value, b as Value, "gt"),
  ),
  max: number(
    2,
    (a, b) => Math.max(a, b),
    (g, _y, a, b) => chosen(g, a as Value, b as Value, "lt"),
  ),
  /** Sign of the divisor. On integers 0 where the divisor is 0. */
  remainder: number(
    2,
    special.remainder,
    (g, _y, a, b) => [g, g.neg().mul((a as Value).div(b as Value).floor())],
    (a, b) => (b === 0 ? 0 : special.remainder(a, b)),
  ),
  /** Sign of the dividend. On integers 0 where the divisor is 0. */
  fmod: number(
    2,
    (a, b) => a % b,
    (g, _y, a, b) => [g, g.neg().mul((a as Value).div(b as Value).trunc())],
    (a, b) => (b === 0 ? 0 : a % b),
  ),

  floor: float(1, 0, Math.floor, none),
  ceil: float(1, 0, Math.ceil, none),
  /** Half to even. */
  round: float(1, 0, special.roundHalfEven, none),
  trunc: float(1, 0, Math.trunc, none),
  sqrt: float(1, 0, Math.sqrt, (g, y) => [g.div(y.mul(2))]),
  rsqrt: float(
    1,
    2,
    (a) => 1 / Math.sqrt(a),
    (g, y) => [g.mul(-0.5).mul(y).mul(y).mul(y)],
  ),
  exp: float(1, 2, Math.exp, (g, y) => [g.mul(y)]),
  expm1: float(1, 3, Math.expm1, (g, y) => [g.mul(y.add(1))]),
  log: float(1, 2, Math.log, (g, _y, a) => [g.div(a as Value)]),
  log1p: float(1, 3, Math.log1p, (g, _y, a) => [g.div((a as Value).add(1))]),
  log2: float(1, 2, Math.log2, (g, _y, a) => [g.div((a as Value).mul(Math.LN2))]),
  sin: float(1, 2, Math.sin, (g, _y, a) => [g.mul((a as Value).cos())]),
  cos: float(1, 2, Math.cos, (g, _y, a) => [g.neg().mul((a as Value).sin())]),
  tan: float(1, 4, Math.tan, (g, y) => [g.mul(y.mul(y).add(1))]),
  asin: float(1, 3, Math.asin, (g, _y, a) => [g.mul((a as Value).square().complement().rsqrt())]),
  acos: float(1, 3, Math.acos, (g, _y, a) => [g.neg().mul((a as Value).square().complement().rsqrt())]),
  atan: float(1, 3, Math.atan, (g, _y, a) => [g.div((a as Value).square().add(1))]),
  atan2: float(2, 4, Math.atan2, (g, _y, a, b) => {
    const scaled = g.div((a as Value).square().add((b as Value).square()));
    return [scaled.mul(b as Value), scaled.neg().mul(a as Value)];
  }),
  sinh: float(1, 3, Math.sinh, (g, _y, a) => [g.mul((a as Value).cosh())]),
  cosh: float(1, 3, Math.cosh, (g, _y, a) => [g.mul((a as Value).sinh())]),
  tanh: float(1, 3, Math.tanh, (g, y) => [g.mul(y.square().complement())]),
  asinh: float(1, 3, Math.asinh, (g, _y, a) => [g.mul((a as Value).square().add(1).rsqrt())]),
  acosh: float(1, 3, Math.acosh, (g, _y, a) => [g.mul((a as Value).square().sub(1).rsqrt())]),
  atanh: float(1, 3, Math.atanh, (g, _y, a) => [g.div((a as Value).square().complement())]),
  erf: float(1, 3, special.erf, (g, _y, a) => [g.mul((a as Value).square().neg().exp()).mul(twoOverRootPi)]),
  erfc: float(1, 4, special.erfc, (g, _y, a) => [g.mul((a as Value).square().neg().exp()).mul(-twoOverRootPi)]),
  pow: float(2, 4, special.pow, (g, y, a, b) => {
    const [base, exponent] = [a as Value, b as Value];
    const toBase = exponent.eq(0).select(0, g.mul(exponent).mul(base.pow(exponent.sub(1))));
    // At base 0 the logarithm is -inf, but the power is flat in its exponent there.
    const flat = base.eq(0).and(exponent.ge(0));
    return [toBase, flat.select(0, g.mul(y).mul(base.log()))];
  }),

  eq: compare((a, b) => a === b),
  ne: compare((a, b) => a !== b),
  lt: compare((a, b) => a < b),
  le: compare((a, b) => a <= b),
  gt: compare((a, b) => a > b),
  ge: compare((a, b) => a >= b),
  and: logic(2, (a, b) => a === 1 && b === 1),
  or: logic(2, (a, b) => a === 1 || b === 1),
  xor: logic(2, (a, b) => a !== b),
  not: logic(1, (a) => a !== 1),
  select: {
    signature: "select",
    arity: 3,
    ulp: 0,
    reference: (mask, a, b) => (mask === 1 ? a : b),
  },

  bitAnd: bits((a, b) => a & b),
  bitOr: bits((a, b) => a | b),
  bitXor: bits((a, b) => a ^ b),
  /** Shifts by 0 to 31; `shr` fills with zeros on u32 and with the sign on i32. */
  shl: bits((a, b) => a << b),
  shr: bits((a, b) => (a > 0x7fffffff ? a >>> b : a >> b)),
  /** Upper 32 bits of the unsigned 64-bit product; u32 only. */
  mulHigh: bits(special.mulHigh),
  /** Between number types: floats truncate towards zero and saturate, NaN becomes 0; integers keep their 32 bits. */
  cast: {
    signature: "cast",
    arity: 1,
    ulp: 0,
    reference: (a) => a,
    derivative: (g, _y, a) => [g.cast((a as Value).type)],
  },
} satisfies Record<string, Row>;

/** The name of a scalar operation. */
export type Op = keyof typeof ops;

/** The row of `op`, with its optional columns visible. */
export const opRow = (op: Op): Row => ops[op];

/** Rounds, wraps or saturates a double to what `type` can hold. */
export function narrow(value: number, type: ValueType): number {
  switch (type) {
    case "f32":
      return Math.fround(value);
    case "i32":
      return value | 0;
    case "u32":
      return value >>> 0;
    default:
      return value;
  }
}

/** `cast`: truncation towards zero that saturates, NaN to 0; between i32 and u32 the bits stay. */
export function castValue(value: number, from: ValueType, to: ValueType): number {
  const integer = to === "i32" || to === "u32";
  if (!integer || from === "i32" || from === "u32") return narrow(value, to);
  if (Number.isNaN(value)) return 0;
  const [least, most] = to === "i32" ? [-0x80000000, 0x7fffffff] : [0, 0xffffffff];
  return Math.trunc(Math.min(Math.max(value, least), most));
}

/** The value of `op` on numbers that are already of type `type`. */
export function evaluate(op: Op, type: ValueType, args: readonly number[], argType: ValueType): number {
  const row = opRow(op);
  if (op === "cast") return castValue(args[0] as number, argType, type);
  const integer = argType === "i32" || argType === "u32";
  const f = (integer && row.integer) || row.reference;
  return narrow(f(args[0] as number, args[1] as number, args[2] as number), type);
}
