import { checkDType, type Value } from "@descent/backend";
import { tapeOf } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";
import { mul } from "./arithmetic.ts";
import { maskedFill } from "./masked.ts";
import { sumType, typedReduction } from "./reduce.ts";
import { eyeMask } from "./triangle.ts";
import { expand, flatten, movedim, reshape, unsqueeze } from "./view.ts";

/** g · Π of the other elements, in one launch: without division where an element is zero. */
const backwardSpec: Traced = {
  name: "prodBackward",
  key: "prodBackward",
  dtype: ([x]) => (x as Tensor).dtype,
  body: ([x, g]) => {
    const [value, grad] = [x as Value, g as Value];
    const zero = value.eq(0);
    const others = zero.select(1, value).prod(); // product of what is not zero
    const zeros = zero.select(1, 0, value.type).sum();
    const share = grad.mul(others);
    return [zero.select(zeros.eq(1).select(share, 0), zeros.eq(0).select(share.div(zero.select(1, value)), 0))];
  },
};

/**
 * For every element of the last axis, that axis again with the element itself replaced by 1: products over it are products of the
 * others, and exact derivatives of any order. Takes n² memory, so only recorded backward passes use it.
 */
export function othersOf(x: Tensor): Tensor {
  const n = x.shape.at(-1) as number;
  return maskedFill(expand(unsqueeze(x, -2), [...x.shape.slice(0, -1), n, n]), eyeMask(x, n), 1);
}

function back(g: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  if (tapeOf([g, x]) === null) return runTraced(backwardSpec, [x, g], { dims: axes })[0] as Tensor;
  if (x.ndim === 0) return expand(g, x.shape);
  const last = axes.map((_, i) => i - axes.length);
  const moved = movedim(x, axes, last);
  const products = prod(othersOf(flatten(moved, x.ndim - axes.length)), -1);
  return mul(g, movedim(reshape(products, moved.shape), last, axes));
}

/** Product over `dims` (torch.prod); of integers and bools as int64. The derivative is right at zeros too. */
export const prod = typedReduction(
  "prod",
  (x) => x.prod(),
  (x, dtype = sumType(x)) => checkDType("prod", dtype),
  back,
  true,
);
