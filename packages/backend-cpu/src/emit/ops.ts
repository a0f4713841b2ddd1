import type { Op, ValueType } from "@descent/backend";

/** What an emitter is given: the type of the result, the type of the operands, and the operands as JavaScript. */
export interface Operation {
  readonly type: ValueType;
  readonly from: ValueType;
  readonly a: string;
  readonly b: string;
  readonly c: string;
}

type Emit = (operation: Operation) => string;

export const isInteger = (type: ValueType): boolean => type === "i32" || type === "u32";

/** `code` rounded or wrapped to `type`. */
export function narrowed(type: ValueType, code: string): string {
  if (type === "f32") return `Math.fround(${code})`;
  if (type === "i32") return `(${code}) | 0`;
  if (type === "u32") return `(${code}) >>> 0`;
  return code;
}

/** An operation of JavaScript whose double result is then narrowed. */
const rounded =
  (code: (a: string, b: string) => string): Emit =>
  ({ type, a, b }) =>
    narrowed(type, code(a, b));
/** An operation whose result is exact in every type it takes. */
const exact =
  (code: (a: string, b: string) => string): Emit =>
  ({ a, b }) =>
    code(a, b);
const call = (name: string): Emit => rounded((a) => `${name}(${a})`);
/** A helper that is accurate enough for float32 only. */
const inSingle =
  (single: string, double: string): Emit =>
  ({ type, a }) =>
    type === "f32" ? `Math.fround(${single}(${a}))` : `${double}(${a})`;
const compare = (sign: string): Emit => exact((a, b) => `${a} ${sign} ${b}`);

/** Every scalar operation as JavaScript; masks are booleans. Names without a dot are helpers of `runtime.ts`. */
export const emitters = {
  add: rounded((a, b) => `${a} + ${b}`),
  sub: rounded((a, b) => `${a} - ${b}`),
  mul: ({ type, a, b }) => narrowed(type, isInteger(type) ? `Math.imul(${a}, ${b})` : `${a} * ${b}`),
  div: ({ type, a, b }) =>
    isInteger(type) ? `(${b} === 0 ? 0 : ${narrowed(type, `${a} / ${b}`)})` : narrowed(type, `${a} / ${b}`),
  neg: ({ type, a }) => (isInteger(type) ? narrowed(type, `-${a}`) : `-${a}`),
  abs: ({ type, a }) => (isInteger(type) ? narrowed(type, `Math.abs(${a})`) : `Math.abs(${a})`),
  sign: exact((a) => `(${a} > 0 ? 1 : ${a} < 0 ? -1 : 0)`),
  min: exact((a, b) => `Math.min(${a}, ${b})`),
  max: exact((a, b) => `Math.max(${a}, ${b})`),
  remainder: ({ type, a, b }) =>
    isInteger(type)
      ? `(${b} === 0 ? 0 : ${narrowed(type, `remainder(${a}, ${b})`)})`
      : narrowed(type, `remainder(${a}, ${b})`),
  fmod: ({ type, a, b }) => (isInteger(type) ? `(${b} === 0 ? 0 : ${narrowed(type, `${a} % ${b}`)})` : `${a} % ${b}`),

  floor: exact((a) => `Math.floor(${a})`),
  ceil: exact((a) => `Math.ceil(${a})`),
  round: exact((a) => `roundHalfEven(${a})`),
  trunc: exact((a) => `Math.trunc(${a})`),
  sqrt: call("Math.sqrt"),
  rsqrt: rounded((a) => `1 / Math.sqrt(${a})`),
  exp: inSingle("exp32", "Math.exp"),
  expm1: call("Math.expm1"),
  log: call("Math.log"),
  log1p: call("Math.log1p"),
  log2: call("Math.log2"),
  sin: call("Math.sin"),
  cos: call("Math.cos"),
  tan: call("Math.tan"),
  asin: call("Math.asin"),
  acos: call("Math.acos"),
  atan: call("Math.atan"),
  atan2: rounded((a, b) => `Math.atan2(${a}, ${b})`),
  sinh: call("Math.sinh"),
  cosh: call("Math.cosh"),
  tanh: inSingle("tanh32", "Math.tanh"),
  asinh: call("Math.asinh"),
  acosh: call("Math.acosh"),
  atanh: call("Math.atanh"),
  erf: call("erf"),
  erfc: call("erfc"),
  /** A square is the one power worth a special case: `x ** 2` costs some twenty times `x * x`. */
  pow: rounded((a, b) => (b === "2" ? `${a} * ${a}` : `pow(${a}, ${b})`)),

  eq: compare("==="),
  ne: compare("!=="),
  lt: compare("<"),
  le: compare("<="),
  gt: compare(">"),
  ge: compare(">="),
  and: exact((a, b) => `${a} && ${b}`),
  or: exact((a, b) => `${a} || ${b}`),
  xor: exact((a, b) => `${a} !== ${b}`),
  not: exact((a) => `!${a}`),
  select: ({ a, b, c }) => `(${a} ? ${b} : ${c})`,

  bitAnd: rounded((a, b) => `${a} & ${b}`),
  bitOr: rounded((a, b) => `${a} | ${b}`),
  bitXor: rounded((a, b) => `${a} ^ ${b}`),
  shl: rounded((a, b) => `${a} << ${b}`),
  shr: ({ type, a, b }) => (type === "u32" ? `${a} >>> ${b}` : `${a} >> ${b}`),
  mulHigh: rounded((a, b) => `mulHigh(${a}, ${b})`),
  cast: ({ type, from, a }) => {
    if (!isInteger(type) || isInteger(from)) return narrowed(type, a);
    return type === "i32" ? `saturateInt(${a})` : `saturateUint(${a})`;
  },
} satisfies Record<Op, Emit>;
