import { DescentError, type Value } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { resultType } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import {
  binary,
  bits,
  type Elementwise,
  elementwise,
  floats,
  isReal,
  isWhole,
  type Launchable,
  leading,
  numbers,
  type Operand,
  own,
  real,
  spec,
  unary,
} from "./define.ts";
import { copysignOf, floorQuotient, integerPower } from "./formulas.ts";
import { sqrt } from "./math.ts";

export interface AlphaOptions {
  /** Factor of the second operand. Default: 1. */
  readonly alpha?: number;
}

/** a ± alpha · b, one launch with alpha or without. */
type Scaled = Elementwise<[a: Operand, b: Operand, options?: AlphaOptions]>;

function scaled(name: string, f: (a: Value, b: Value) => Value): Scaled {
  const plain = spec(name, f);
  const withAlpha = spec(name, (a, b, alpha) => f(a, b.mul(alpha)), leading(2, own), `${name} alpha`);
  return elementwise((a, b, options = {}) => {
    checkOptions(name, options, ["alpha"]);
    const { alpha = 1 } = options;
    if (name === "sub") for (const x of [a, b]) refuseBool(x);
    if (!Number.isInteger(alpha) && !isReal(a) && !isReal(b))
      throw new DescentError(
        "argument",
        name,
        "integers take an integer alpha",
        { alpha },
        'Use t.to("float32") first.',
      );
    return alpha === 1 ? [plain, [a, b]] : [withAlpha, [a, b, alpha]];
  });
}

function refuseBool(x: Operand): void {
  if (typeof x === "number" || x?.dtype !== "bool") return;
  throw new DescentError(
    "dtype",
    "sub",
    "bool tensors are not subtracted",
    {},
    "Use logicalXor, or logicalNot for a complement.",
  );
}

/** a + alpha · b. */
export const add = scaled("add", (a, b) => a.add(b));
/** a − alpha · b. Bool tensors are refused, as in PyTorch. */
export const sub = scaled("sub", (a, b) => a.sub(b));
/** a · b. */
export const mul = binary("mul", (a, b) => a.mul(b));

export interface DivOptions {
  /** Round the quotient towards zero or down, and keep integers integers. Default: null, a quotient in floating point. */
  readonly roundingMode?: "trunc" | "floor" | null;
}

const quotients = {
  null: spec("div", (a, b) => a.div(b), real),
  trunc: spec("div", (a, b) => truncated(a.div(b)), numbers, "div trunc"),
  floor: spec("div", (a, b) => floorQuotient(a, b), numbers, "div floor"),
};
const truncated = (x: Value) => (isWhole(x) ? x : x.trunc());

/** a / b: in floating point, also of integers, unless `roundingMode` says otherwise. An integer over 0 is 0. */
export const div: Elementwise<[a: Operand, b: Operand, options?: DivOptions]> = elementwise((a, b, options = {}) => {
  checkOptions("div", options, ["roundingMode"]);
  const { roundingMode = null } = options;
  const quotient = quotients[String(roundingMode) as keyof typeof quotients];
  if (quotient) return [quotient, [a, b]];
  throw new DescentError("option", "div", "unknown roundingMode", { roundingMode }, 'Use null, "trunc" or "floor".');
});

/** ⌊a / b⌋; integers stay integers. Its derivative is zero. */
export const floorDivide = binary("floorDivide", floorQuotient, numbers);
/** a − b · ⌊a / b⌋: the sign of the divisor, as `%` in Python. */
export const remainder = binary("remainder", (a, b) => a.remainder(b), numbers);
/** a − b · trunc(a / b): the sign of the dividend, as `%` in JavaScript. */
export const fmod = binary("fmod", (a, b) => a.fmod(b), numbers);

const power = spec("pow", (a, b) => (isWhole(a) || isWhole(b) ? integerPower(a, b) : a.pow(b)), numbers);

const inverseRoot = spec(
  "pow",
  (x) => x.rsqrt().ruled([x], (g, _y, x) => [g.mul(x.pow(-1.5)).mul(-0.5)]),
  real,
  "pow -0.5",
);

/** Exponents that PyTorch takes as another function, which differs for infinities and −0. */
const roots: Readonly<Record<number, (x: Tensor) => Launchable>> = {
  2: (x) => square.of(x),
  0.5: (x) => sqrt.of(x),
  [-0.5]: (x) => [inverseRoot, [x]],
};

/** aᵇ. Integers stay integers; a negative integer as their exponent is refused. */
export const pow: Elementwise<[a: Operand, b: Operand]> = elementwise((a, b) => {
  if (typeof b === "number" && b < 0 && Number.isInteger(b) && !isReal(a))
    throw new DescentError(
      "argument",
      "pow",
      "integers take no negative integer power",
      { exponent: b },
      'Use t.to("float32") first.',
    );
  const special = typeof b === "number" && typeof a !== "number" ? roots[b] : undefined;
  return special ? special(a as Tensor) : [power, [a, b]];
});

/** −x. */
export const neg = unary("neg", (x) => x.neg(), numbers);
/** |x|. */
export const abs = unary("abs", (x) => x.abs(), numbers);
/** −1, 0 or 1; 0 for NaN. */
export const sign = unary("sign", (x) => x.sign());
/** 1 / x. */
export const reciprocal = unary("reciprocal", (x) => x.reciprocal(), real);
/** x². */
export const square = unary(
  "square",
  (x) => x.square().ruled([x], (g, _y, x) => [g.mul(x.mul(2))]),
  () =>
    ([x]) =>
      resultType([x as Tensor, 2]),
);

/** The greater one, element by element; NaN where either is NaN. Ties share the gradient. */
export const maximum = binary("maximum", (a, b) => a.maximum(b));
/** The lesser one, element by element; NaN where either is NaN. Ties share the gradient. */
export const minimum = binary("minimum", (a, b) => a.minimum(b));

const isNan = (x: Value) => x.ne(x);
/** The greater one; where one is NaN, the other. Ties give the gradient to the first. */
export const fmax = binary("fmax", (a, b) => a.ge(b).or(isNan(b)).select(a, b));
/** The lesser one; where one is NaN, the other. Ties give the gradient to the first. */
export const fmin = binary("fmin", (a, b) => a.le(b).or(isNan(b)).select(a, b));

/** The angle of the point (b, a), in radians. */
export const atan2 = binary("atan2", (a, b) => a.atan2(b), real);
/** √(a² + b²) without overflow in between. */
export const hypot = binary(
  "hypot",
  (a, b) => {
    const [large, small] = [a.abs().maximum(b.abs()), a.abs().minimum(b.abs())];
    const ratio = large.eq(0).or(large.eq(Number.POSITIVE_INFINITY)).select(0, small.div(large));
    const infinite = a.abs().eq(Number.POSITIVE_INFINITY).or(b.abs().eq(Number.POSITIVE_INFINITY));
    const length = infinite.select(Number.POSITIVE_INFINITY, large.mul(ratio.square().add(1).sqrt()));
    return length.ruled([a, b], (g, y, a, b) => [g.mul(a.div(y)), g.mul(b.div(y))]);
  },
  floats,
);
/** The magnitude of a with the sign of b, also of −0. */
export const copysign = binary("copysign", copysignOf, real);
/** a · ln b; 0 where a is 0, unless b is NaN. */
export const xlogy = binary(
  "xlogy",
  (a, b) => {
    const zero = a.eq(0).and(isNan(b).not());
    return zero
      .select(0, a.mul(b.log()))
      .ruled([a, b], (g, _y, a, b) => [a.eq(0).and(b.le(0)).select(0, g.mul(b.log())), g.mul(a.div(b))]);
  },
  real,
);
/** ln(eᵃ + eᵇ) without overflow in between. */
export const logaddexp = binary(
  "logaddexp",
  (a, b) => {
    const far = a.eq(b).and(a.abs().eq(Number.POSITIVE_INFINITY));
    const y = far.select(a, a.maximum(b).add(a.sub(b).abs().neg().exp().log1p()));
    return y.ruled([a, b], (g, _y, a, b) => [g.mul(a.sub(b).sigmoid()), g.mul(b.sub(a).sigmoid())]);
  },
  floats,
);

const bitwise = (name: string, f: (a: Value, b: Value) => Value) => binary(name, f, bits);
/** Bit by bit, of integers; of bools, the logical operation. */
export const bitwiseAnd = bitwise("bitwiseAnd", (a, b) => a.bitAnd(b));
export const bitwiseOr = bitwise("bitwiseOr", (a, b) => a.bitOr(b));
export const bitwiseXor = bitwise("bitwiseXor", (a, b) => a.bitXor(b));
export const bitwiseNot: Elementwise<[x: Tensor]> = (() => {
  const integers = spec("bitwiseNot", (x) => x.bitXor(x.type === "i32" ? -1 : 0xffffffff), bits);
  const bools = spec("bitwiseNot", (x) => x.eq(0), bits, "bitwiseNot bool");
  return elementwise((x) => [x?.dtype === "bool" ? bools : integers, [x]]);
})();
