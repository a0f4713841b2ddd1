import * as elementwise from "../ops/elementwise.ts";
import type { Tensor } from "../tensor.ts";
import { TensorBase } from "../tensor-base.ts";

type Operand = Tensor | number;

/** Element-wise methods: one result element per element, operands broadcast. */
export abstract class ElementwiseMethods extends TensorBase {
  /** this + alpha · other. */
  add(this: Tensor, other: Operand, options?: { alpha?: number }): Tensor {
    return elementwise.add(this, other, options);
  }
  /** this − alpha · other. */
  sub(this: Tensor, other: Operand, options?: { alpha?: number }): Tensor {
    return elementwise.sub(this, other, options);
  }
  mul(this: Tensor, other: Operand): Tensor {
    return elementwise.mul(this, other);
  }
  /** Quotient in floating point, also of integers. */
  div(this: Tensor, other: Operand): Tensor {
    return elementwise.div(this, other);
  }
  neg(this: Tensor): Tensor {
    return elementwise.neg(this);
  }
  exp(this: Tensor): Tensor {
    return elementwise.exp(this);
  }
}
