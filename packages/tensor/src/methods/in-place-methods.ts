import type * as activations from "../ops/activations.ts";
import type * as arithmetic from "../ops/arithmetic.ts";
import type * as compare from "../ops/compare.ts";
import type { Operand } from "../ops/define.ts";
import { copyInto, fillInto, inPlace } from "../ops/in-place.ts";
import type * as math from "../ops/math.ts";
import type * as ternary from "../ops/ternary.ts";
import type { Tensor } from "../tensor.ts";
import { type InPlaceForms, install } from "./derived.ts";
import { ElementwiseMethods, families } from "./elementwise-methods.ts";

/**
 * Methods that change the tensor itself: every element-wise method has a form with an underscore (`x.add_(y)`). The other
 * operands are broadcast to this tensor's shape, and the result is stored in its dtype, which must be of the same kind
 * (bool < integer < floating point) or higher. Nothing is changed where they throw.
 */
export interface InPlaceMethods
  extends InPlaceForms<typeof arithmetic>,
    InPlaceForms<typeof math>,
    InPlaceForms<typeof compare>,
    InPlaceForms<typeof activations>,
    InPlaceForms<typeof ternary> {}

export abstract class InPlaceMethods extends ElementwiseMethods {
  /** Copies `source`, broadcast and converted to this dtype, into this tensor. */
  copy_(this: Tensor, source: Operand): Tensor {
    return copyInto(this, source);
  }
  /** Sets every element. */
  fill_(this: Tensor, value: Operand): Tensor {
    return fillInto(this, value);
  }
  zero_(this: Tensor): Tensor {
    return fillInto(this, 0);
  }
}

for (const family of families)
  install(
    InPlaceMethods.prototype,
    family,
    ({ of }) =>
      (...args) =>
        inPlace(of(...args)),
    "_",
  );
