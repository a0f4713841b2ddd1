import { DescentError } from "@descent/tensor";
import { changeInPlace } from "./change-in-place.ts";
import { type Clipped, gradientsOf } from "./gradients.ts";

/**
 * Limits every element of the gradients of `params` to [−clipValue, clipValue], in place (torch.nn.utils.clip_grad_value_). NaN
 * stays NaN. Sparse gradients are limited by what they add up to.
 * @param clipValue at least 0.
 */
export function clipGradValue_(params: Clipped, clipValue: number): void {
  const operation = "clipGradValue_";
  if (!(typeof clipValue === "number" && clipValue >= 0))
    throw new DescentError("argument", operation, "clipValue must be a number of at least 0", { clipValue });
  const tensors = gradientsOf(operation, params).gradients.map(({ data }) => data);
  changeInPlace(operation, tensors, clipValue, (g, limit) => g.maximum(limit.neg()).minimum(limit));
}
