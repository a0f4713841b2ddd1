import type { ValueType } from "./dtype.ts";
import type { Mask } from "./mask.ts";
import type { Derivative, Op } from "./ops.ts";
import type { Reducer } from "./program.ts";
import type { Trace } from "./trace.ts";

export { Mask } from "./mask.ts";

/** What an operation on a value accepts: a number becomes a constant of the value's type. */
export type Operand = Value | number;

/**
 * A number inside a program that is being traced: an element, something common to a row, or (`level` host) a number computed
 * from hyperparameters before the launch, in double precision. Methods add one instruction each and mirror PyTorch's names.
 */
export class Value {
  readonly trace: Trace;
  /** Number of the instruction in its trace. */
  readonly id: number;
  readonly type: ValueType;

  constructor(trace: Trace, id: number, type: ValueType) {
    this.trace = trace;
    this.id = id;
    this.type = type;
  }

  private op(op: Op, ...others: Operand[]): Value {
    return this.trace.apply(op, [this, ...others]) as Value;
  }
  private comparison(op: Op, other: Operand): Mask {
    return this.trace.apply(op, [this, other]) as Mask;
  }

  add(other: Operand): Value {
    return this.op("add", other);
  }
  sub(other: Operand): Value {
    return this.op("sub", other);
  }
  mul(other: Operand): Value {
    return this.op("mul", other);
  }
  div(other: Operand): Value {
    return this.op("div", other);
  }
  remainder(other: Operand): Value {
    return this.op("remainder", other);
  }
  fmod(other: Operand): Value {
    return this.op("fmod", other);
  }
  minimum(other: Operand): Value {
    return this.op("min", other);
  }
  maximum(other: Operand): Value {
    return this.op("max", other);
  }
  pow(other: Operand): Value {
    return this.op("pow", other);
  }
  atan2(other: Operand): Value {
    return this.op("atan2", other);
  }

  neg(): Value {
    return this.op("neg");
  }
  abs(): Value {
    return this.op("abs");
  }
  sign(): Value {
    return this.op("sign");
  }
  floor(): Value {
    return this.op("floor");
  }
  ceil(): Value {
    return this.op("ceil");
  }
  round(): Value {
    return this.op("round");
  }
  trunc(): Value {
    return this.op("trunc");
  }
  sqrt(): Value {
    return this.op("sqrt");
  }
  rsqrt(): Value {
    return this.op("rsqrt");
  }
  exp(): Value {
    return this.op("exp");
  }
  expm1(): Value {
    return this.op("expm1");
  }
  log(): Value {
    return this.op("log");
  }
  log1p(): Value {
    return this.op("log1p");
  }
  log2(): Value {
    return this.op("log2");
  }
  sin(): Value {
    return this.op("sin");
  }
  cos(): Value {
    return this.op("cos");
  }
  tan(): Value {
    return this.op("tan");
  }
  asin(): Value {
    return this.op("asin");
  }
  acos(): Value {
    return this.op("acos");
  }
  atan(): Value {
    return this.op("atan");
  }
  sinh(): Value {
    return this.op("sinh");
  }
  cosh(): Value {
    return this.op("cosh");
  }
  tanh(): Value {
    return this.op("tanh");
  }
  asinh(): Value {
    return this.op("asinh");
  }
  acosh(): Value {
    return this.op("acosh");
  }
  atanh(): Value {
    return this.op("atanh");
  }
  erf(): Value {
    return this.op("erf");
  }
  erfc(): Value {
    return this.op("erfc");
  }

  eq(other: Operand): Mask {
    return this.comparison("eq", other);
  }
  ne(other: Operand): Mask {
    return this.comparison("ne", other);
  }
  lt(other: Operand): Mask {
    return this.comparison("lt", other);
  }
  le(other: Operand): Mask {
    return this.comparison("le", other);
  }
  gt(other: Operand): Mask {
    return this.comparison("gt", other);
  }
  ge(other: Operand): Mask {
    return this.comparison("ge", other);
  }

  bitAnd(other: Operand): Value {
    return this.op("bitAnd", other);
  }
  bitOr(other: Operand): Value {
    return this.op("bitOr", other);
  }
  bitXor(other: Operand): Value {
    return this.op("bitXor", other);
  }
  shl(other: Operand): Value {
    return this.op("shl", other);
  }
  shr(other: Operand): Value {
    return this.op("shr", other);
  }
  mulHigh(other: Operand): Value {
    return this.op("mulHigh", other);
  }

  /** This number as another type; the value itself when it has that type already. */
  cast(type: ValueType): Value {
    return this.trace.cast(this, type);
  }
  /** x². */
  square(): Value {
    return this.mul(this);
  }
  /** 1 − x. */
  complement(): Value {
    return this.neg().add(1);
  }
  /** 1 / x. */
  reciprocal(): Value {
    return this.trace.apply("div", [1, this]) as Value;
  }
  /** 1 / (1 + e⁻ˣ). */
  sigmoid(): Value {
    // Its own instructions would give 0 · ∞ where e⁻ˣ overflows.
    return this.neg()
      .exp()
      .add(1)
      .reciprocal()
      .ruled([this], (g, y) => [g.mul(y).mul(y.complement())]);
  }
  /** This value, whose derivative with respect to `inputs` is `rule`, for formulas that must not be derived term by term. */
  ruled(inputs: readonly Value[], rule: Derivative): Value {
    return this.trace.ruled(this, inputs, rule);
  }
  /** This value as a constant: no gradient passes. */
  detach(): Value {
    return this.trace.detached(this);
  }

  /** Folds this element over its row; only in programs of kind fold. */
  sum(): Value {
    return this.trace.fold("sum", this);
  }
  prod(): Value {
    return this.trace.fold("prod", this);
  }
  amax(): Value {
    return this.trace.fold("max", this);
  }
  amin(): Value {
    return this.trace.fold("min", this);
  }
  argmax(): Value {
    return this.trace.fold("argmax", this);
  }
  argmin(): Value {
    return this.trace.fold("argmin", this);
  }
  /** As the methods above, by name. */
  fold(reducer: Reducer): Value {
    return this.trace.fold(reducer, this);
  }
}

/** a + weight · (b − a), as torch.lerp below weight ½ and as all moment updates of torch.optim. */
export const lerp = (a: Value, b: Value, weight: Operand): Value => a.add(b.sub(a).mul(weight));
