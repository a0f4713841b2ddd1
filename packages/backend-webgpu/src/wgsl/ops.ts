import type { Op, ValueType } from "@descent/backend";
import { Frame } from "./frame.ts";

/** What an emitter is given: the type of the result, the type of the operands, and the operands as WGSL. */
export interface Operation {
  readonly type: ValueType;
  readonly from: ValueType;
  readonly a: string;
  readonly b: string;
  readonly c: string;
}

type Emit = (operation: Operation) => string;

const infix =
  (sign: string): Emit =>
  ({ a, b }) =>
    `(${a} ${sign} ${b})`;
const call =
  (name: string): Emit =>
  ({ a }) =>
    `${name}(${a})`;
const call2 =
  (name: string): Emit =>
  ({ a, b }) =>
    `${name}(${a}, ${b})`;
/** One form for floats, another for integers. */
const either =
  (float: Emit, integer: Emit): Emit =>
  (operation) =>
    operation.from === "f32" ? float(operation) : integer(operation);
const zero = (type: ValueType): string => (type === "u32" ? "0u" : "0i");
const one = (type: ValueType): string => (type === "u32" ? "1u" : "1i");
/** An integer division that gives 0 where the divisor is 0. */
const guarded =
  (sign: string): Emit =>
  ({ from, a, b }) =>
    `select(${a} ${sign} select(${b}, ${one(from)}, ${b} == ${zero(from)}), ${zero(from)}, ${b} == ${zero(from)})`;
const signedRemainder: Emit = (operation) => {
  const { from, b } = operation;
  const rest = guarded("%")(operation);
  if (from === "u32") return rest;
  return `select(${rest}, ${rest} + ${b}, (${rest} != 0i) & ((${rest} < 0i) != (${b} < 0i)))`;
};
const sign: Emit = ({ from, a }) => {
  if (from === "u32") return `min(${a}, 1u)`;
  const [minus, none, plus] = from === "f32" ? ["-1f", "0f", "1f"] : ["-1i", "0i", "1i"];
  return `select(select(${none}, ${minus}, ${a} < ${none}), ${plus}, ${a} > ${none})`;
};
/** A division; WGSL promises one only for divisors up to 2¹²⁶, so that larger ones need care unless it is known that there are none. */
const divide: Emit = (operation) => {
  const known = Math.abs(Number.parseFloat(operation.b.replace("(", "")));
  return (known <= 2 ** 126 ? infix("/") : call2("divided"))(operation);
};
/** A product; one with 0 is NaN where the other factor is, which compilers may take for granted that it is not. */
const multiply: Emit = ({ a, b }) => {
  const hidden = (factor: string) => (factor === "0f" ? `(-${Frame.minusZero})` : factor);
  return `(${hidden(a)} * ${hidden(b)})`;
};
/** Powers that need no logarithm. */
const power: Emit = ({ a, b }) => {
  if (b === "2f") return `(${a} * ${a})`;
  if (b === "1f") return a;
  return `power(${a}, ${b})`;
};
/** A comparison that no compiler may decide from the absence of NaN. */
const unequal: Emit = either(({ a, b }) => `!(${a} == ${b})`, infix("!="));

/** Every scalar operation as WGSL; masks are booleans. Names in lower case with underscores are helpers of ours. */
export const emitters = {
  add: infix("+"),
  sub: infix("-"),
  mul: multiply,
  div: either(divide, guarded("/")),
  neg: ({ from, a }) => (from === "u32" ? `(0u - ${a})` : `(-${a})`),
  abs: either(call("magnitude"), ({ from, a }) => (from === "u32" ? a : `abs(${a})`)),
  sign,
  min: either(call2("least"), call2("min")),
  max: either(call2("largest"), call2("max")),
  remainder: either(call2("float_remainder"), signedRemainder),
  fmod: either(call2("float_mod"), guarded("%")),

  floor: call("floor"),
  ceil: call("ceil"),
  round: call("half_even"),
  trunc: call("trunc"),
  sqrt: call("sqrt"),
  rsqrt: call("inverseSqrt"),
  exp: call("exponential"),
  expm1: call("exponential_m1"),
  log: call("logarithm"),
  log1p: call("logarithm_1p"),
  log2: call("logarithm_2"),
  sin: call("sine"),
  cos: call("cosine"),
  tan: call("tangent"),
  asin: call("arc_sine"),
  acos: call("arc_cosine"),
  atan: call("arc_tangent"),
  atan2: call2("arc_tangent_2"),
  sinh: call("hyperbolic_sine"),
  cosh: call("hyperbolic_cosine"),
  tanh: call("hyperbolic_tangent"),
  asinh: call("area_sine"),
  acosh: call("area_cosine"),
  atanh: call("area_tangent"),
  erf: call("error_function"),
  erfc: call("complementary_error_function"),
  pow: power,

  eq: infix("=="),
  ne: unequal,
  lt: infix("<"),
  le: infix("<="),
  gt: infix(">"),
  ge: infix(">="),
  // Not && and ||: those are branches, and a compiler's time goes with their number.
  and: infix("&"),
  or: infix("|"),
  xor: infix("!="),
  not: ({ a }) => `!${a}`,
  select: ({ a, b, c }) => `select(${c}, ${b}, ${a})`,

  bitAnd: infix("&"),
  bitOr: infix("|"),
  bitXor: infix("^"),
  shl: ({ a, b }) => `(${a} << u32(${b}))`,
  shr: ({ a, b }) => `(${a} >> u32(${b}))`,
  mulHigh: ({ type, a, b }) => (type === "i32" ? `i32(mul_high(u32(${a}), u32(${b})))` : `mul_high(${a}, ${b})`),
  cast: ({ type, from, a }) => {
    if (type === from) return a;
    if (from === "f32" && type !== "f32") return type === "i32" ? `to_int(${a})` : `to_uint(${a})`;
    return `${type}(${a})`;
  },
} satisfies Record<Op, Emit>;
