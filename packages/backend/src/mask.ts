import type { ValueType } from "./dtype.ts";
import type { Trace } from "./trace.ts";
import type { Operand, Value } from "./value.ts";

/** A truth value inside a program: the outcome of a comparison, or a load from a bool buffer. Only a mask selects. */
export class Mask {
  readonly trace: Trace;
  readonly id: number;
  readonly type = "mask" as const;

  constructor(trace: Trace, id: number) {
    this.trace = trace;
    this.id = id;
  }

  and(other: Mask): Mask {
    return this.trace.apply("and", [this, other]) as Mask;
  }
  or(other: Mask): Mask {
    return this.trace.apply("or", [this, other]) as Mask;
  }
  xor(other: Mask): Mask {
    return this.trace.apply("xor", [this, other]) as Mask;
  }
  not(): Mask {
    return this.trace.apply("not", [this]) as Mask;
  }
  /** `yes` where this holds, `no` elsewhere. At least one is a Value, or `type` says what the numbers become. */
  select(yes: Operand, no: Operand, type?: ValueType): Value {
    return this.trace.select(this, yes, no, type);
  }
}
