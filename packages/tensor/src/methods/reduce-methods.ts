import type { Shape } from "@descent/backend";
import type { Dims, ReduceOptions } from "../ops/reduce.ts";
import * as reduce from "../ops/reduce.ts";
import type { Tensor } from "../tensor.ts";
import { InPlaceMethods } from "./in-place-methods.ts";

/** Methods that fold axes, or work along one. */
export abstract class ReduceMethods extends InPlaceMethods {
  sum(this: Tensor, dims: Dims = null, options?: ReduceOptions): Tensor {
    return reduce.sum(this, dims, options);
  }
  mean(this: Tensor, dims: Dims = null, options?: ReduceOptions): Tensor {
    return reduce.mean(this, dims, options);
  }
  /** Sums over the axes along which a tensor of `shape` broadcasts to this one's shape. */
  sumToSize(this: Tensor, shape: Shape): Tensor {
    return reduce.sumToSize(this, shape);
  }
}
