import { argmax, argmin, max, min } from "../ops/extrema.ts";
import { norm, std, stdMean, var as variance, varMean } from "../ops/moments.ts";
import { median } from "../ops/order.ts";
import { prod } from "../ops/prod.ts";
import {
  all,
  amax,
  amin,
  any,
  countNonzero,
  logsumexp,
  mean,
  type ReduceOptions,
  sum,
  sumToSize,
} from "../ops/reduce.ts";
import { cummax, cummin, cumprod, cumsum, type Extremes } from "../ops/scan.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import type { Tensor } from "../tensor.ts";
import { install, type Methods } from "./derived.ts";
import { InPlaceMethods } from "./in-place-methods.ts";

const functions = {
  sum,
  mean,
  prod,
  amax,
  amin,
  argmax,
  argmin,
  var: variance,
  std,
  varMean,
  stdMean,
  norm,
  logsumexp,
  all,
  any,
  countNonzero,
  cumsum,
  cumprod,
  cummax,
  cummin,
  softmax,
  logSoftmax,
  sumToSize,
};

/** Methods that fold axes, or work along one: these functions, with their first argument as `this`. */
export interface ReduceMethods extends Methods<typeof functions> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `install` defines what the interface declares.
export abstract class ReduceMethods extends InPlaceMethods {
  /** The largest element; with `dim`, those along it and where they stand. */
  max(this: Tensor): Tensor;
  max(this: Tensor, dim: number, options?: ReduceOptions): Extremes;
  max(this: Tensor, ...rest: [number?, ReduceOptions?]): Tensor | Extremes {
    return max(this, ...(rest as [number]));
  }
  /** The smallest element; with `dim`, those along it and where they stand. */
  min(this: Tensor): Tensor;
  min(this: Tensor, dim: number, options?: ReduceOptions): Extremes;
  min(this: Tensor, ...rest: [number?, ReduceOptions?]): Tensor | Extremes {
    return min(this, ...(rest as [number]));
  }
  /** The lower median; with `dim`, those along it and where they stand. */
  median(this: Tensor): Tensor;
  median(this: Tensor, dim: number, options?: ReduceOptions): Extremes;
  median(this: Tensor, ...rest: [number?, ReduceOptions?]): Tensor | Extremes {
    return median(this, ...(rest as [number]));
  }
}

install(ReduceMethods.prototype, functions as never, (f) => f);
