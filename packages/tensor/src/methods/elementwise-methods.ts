import * as activations from "../ops/activations.ts";
import * as arithmetic from "../ops/arithmetic.ts";
import * as close from "../ops/close.ts";
import * as compare from "../ops/compare.ts";
import type { Operand } from "../ops/define.ts";
import * as math from "../ops/math.ts";
import * as ternary from "../ops/ternary.ts";
import { where } from "../ops/where.ts";
import type { Tensor } from "../tensor.ts";
import { TensorBase } from "../tensor-base.ts";
import { type Family, install, type Methods } from "./derived.ts";

/** The modules whose functions become methods. */
export const families: readonly Family[] = [arithmetic, math, compare, activations, ternary];

/** Element-wise methods: every function of these modules, with its first argument as `this`. */
export interface ElementwiseMethods
  extends Methods<typeof arithmetic>,
    Methods<typeof math>,
    Methods<typeof compare>,
    Methods<typeof activations>,
    Methods<typeof ternary> {}

export abstract class ElementwiseMethods extends TensorBase {
  /** This where the bool tensor `condition` holds, `other` elsewhere. */
  where(this: Tensor, condition: Tensor, other: Operand): Tensor {
    return where(condition, this, other);
  }
  /** Whether the elements are close to those of `other`, one by one: see the function. */
  isclose(this: Tensor, other: Operand, options?: close.CloseOptions): Tensor {
    return close.isclose(this, other, options);
  }
  /** Whether all are. Waits for the answer. */
  allclose(this: Tensor, other: Tensor, options?: close.CloseOptions): Promise<boolean> {
    return close.allclose(this, other, options);
  }
  /** Whether shape and elements are the same. Waits for the answer. */
  equal(this: Tensor, other: Tensor): Promise<boolean> {
    return close.equal(this, other);
  }
}

for (const family of families) install(ElementwiseMethods.prototype, family, (f) => f);
