import { checkOptions, DescentError, empty, SparseTensor, Tensor, tensor } from "@descent/tensor";
import { overwrite } from "../core/overwrite.ts";
import { changeInPlace } from "./change-in-place.ts";
import { type Clipped, type Gradient, type Gradients, gradientsOf } from "./gradients.ts";
import { checkNormType, factorFor, normsOf, totalOf } from "./norms.ts";
import { summedValues } from "./summed-values.ts";

export interface NormOptions {
  /** Order p of the norm (Σ |g|ᵖ)^(1/p); Infinity takes the largest element, 0 counts the gradients that are not zero. Default: 2. */
  readonly normType?: number;
  /**
   * Reject when the total norm is NaN or infinite, naming the parameters whose gradients are to blame, with no gradient changed.
   * The result is then a promise: only this reads from the backend. Default: false.
   */
  readonly errorIfNonfinite?: boolean;
}

type Checked = NormOptions & { readonly errorIfNonfinite: true };
type Unchecked = NormOptions & { readonly errorIfNonfinite?: false };
const optionNames = ["normType", "errorIfNonfinite"];

export function readNormOptions(operation: string, options: NormOptions): Required<NormOptions> {
  checkOptions(operation, options, optionNames);
  const { normType = 2, errorIfNonfinite = false } = options;
  checkNormType(operation, normType);
  return { normType, errorIfNonfinite };
}

export function checkMaxNorm(operation: string, maxNorm: number): void {
  if (typeof maxNorm === "number" && maxNorm >= 0) return;
  const hint = "Infinity measures without clipping.";
  throw new DescentError("argument", operation, "maxNorm must be a number of at least 0", { maxNorm }, hint);
}

/** Rejects, naming the culprits, unless `total` is finite; else gives it. */
export async function finiteTotal(operation: string, gradients: readonly Gradient[], total: Tensor): Promise<Tensor> {
  const value = await total.item();
  if (Number.isFinite(value)) return total;
  const filled = gradients.filter(({ data }) => data.size > 0);
  const tensors = filled.map(({ data }) => data);
  const largest = await normsOf(operation, tensors, Number.POSITIVE_INFINITY, true)?.data();
  const culprits = filled.flatMap(({ name }, k) => {
    const found = largest?.[k] as number;
    return Number.isFinite(found) ? [] : [`${name} (${Number.isNaN(found) ? "NaN" : "infinity"})`];
  });
  const shown = culprits.length > 5 ? [...culprits.slice(0, 5), `${culprits.length - 5} more`] : culprits;
  const facts = { "total norm": value, gradients: shown.length > 0 ? shown.join(", ") : "all finite" };
  const hint = shown.length > 0 ? "No gradient was changed." : "The norm itself is too large for its dtype: clip by value, or use normType: Infinity."; // biome-ignore format: one line
  throw new DescentError("numeric", operation, "the total norm of the gradients is not finite", facts, hint);
}

/** 0, where there is nothing to measure. */
function nothing(operation: string, { backend }: Tensor): Tensor {
  const zero = empty([], { backend }, operation);
  overwrite(zero, 0);
  return zero;
}

const scale = (operation: string, gradients: readonly Gradient[], factor: Tensor): void => {
  const tensors = gradients.map(({ data }) => data);
  changeInPlace(operation, tensors, factor, (g, by) => g.mul(by));
};

/** The total norm of gradients before they are clipped to `maxNorm`. Nothing is read. */
export function clipTo(
  operation: string,
  { gradients, like }: Gradients,
  maxNorm: number,
  { normType, errorIfNonfinite }: Required<NormOptions>,
): Tensor {
  const tensors = gradients.map(({ data }) => data);
  const norms = normsOf(operation, tensors, normType);
  if (norms === null) return nothing(operation, like);
  const [total, factor] = totalOf(operation, norms, normType, maxNorm, errorIfNonfinite);
  scale(operation, gradients, factor);
  return total;
}

/**
 * Scales the gradients of `params` in place so that their norm, taken over all of them together, is at most `maxNorm`; returns the
 * norm before (torch.nn.utils.clip_grad_norm_). Call it between `backward()` and `step()`. The factor is computed and applied
 * on the backend: nothing is read. Sparse gradients are measured by what they add up to.
 *
 * A norm that is not finite makes every gradient NaN or 0, as in PyTorch, unless `errorIfNonfinite` is set.
 * @param maxNorm at least 0; Infinity only measures.
 * @example
 * loss.backward();
 * const norm = clipGradNorm_(model.parameters(), 1);
 * optimizer.step();
 */
export function clipGradNorm_(params: Clipped, maxNorm: number, options: Checked): Promise<Tensor>;
export function clipGradNorm_(params: Clipped, maxNorm: number, options?: Unchecked): Tensor;
export function clipGradNorm_(params: Clipped, maxNorm: number, options: NormOptions = {}): Tensor | Promise<Tensor> {
  const operation = "clipGradNorm_";
  const settled = readNormOptions(operation, options);
  checkMaxNorm(operation, maxNorm);
  const found = gradientsOf(operation, params);
  const total = clipTo(operation, found, maxNorm, settled);
  return settled.errorIfNonfinite ? finiteTotal(operation, found.gradients, total) : total;
}

/**
 * The norm of all elements of `tensors` together, on the backend (torch.nn.utils.get_total_norm): of gradients, for example, that are
 * clipped later with `clipGradsWithNorm_`.
 */
export function getTotalNorm(tensors: Iterable<Tensor>, options: Checked): Promise<Tensor>;
export function getTotalNorm(tensors: Iterable<Tensor>, options?: Unchecked): Tensor;
export function getTotalNorm(tensors: Iterable<Tensor>, options: NormOptions = {}): Tensor | Promise<Tensor> {
  const operation = "getTotalNorm";
  const { normType, errorIfNonfinite } = readNormOptions(operation, options);
  const all = tensors instanceof Tensor ? [tensors] : [...tensors];
  const [like] = all;
  if (!like) throw new DescentError("argument", operation, "there are no tensors");
  const measured = all.map((x, i) => ({
    name: `tensor ${i}`,
    data: x instanceof SparseTensor ? summedValues(x) : x.detach(),
  }));
  const data = measured.map((x) => x.data);
  const norms = normsOf(operation, data, normType);
  const total = norms ? totalOf(operation, norms, normType, 1, false)[0] : nothing(operation, like);
  return errorIfNonfinite ? finiteTotal(operation, measured, total) : total;
}

/**
 * Scales the gradients of `params` in place as `clipGradNorm_` does, by a total norm that is known already
 * (torch.nn.utils.clip_grads_with_norm_).
 * @param totalNorm a tensor of one element, or a number.
 */
export function clipGradsWithNorm_(params: Clipped, maxNorm: number, totalNorm: Tensor | number): void {
  const operation = "clipGradsWithNorm_";
  checkMaxNorm(operation, maxNorm);
  const isNumber = typeof totalNorm === "number";
  if (!isNumber && !(totalNorm instanceof Tensor && totalNorm.size === 1)) {
    const hint = "It is what getTotalNorm returns.";
    throw new DescentError("argument", operation, "totalNorm is no number and no tensor of one element", {}, hint);
  }
  const { gradients, like } = gradientsOf(operation, params);
  const total = isNumber ? tensor(totalNorm, { backend: like.backend }) : totalNorm.detach().reshape([]);
  scale(operation, gradients, factorFor(operation, total, maxNorm));
}
