import { DescentError, type Tensor } from "@descent/tensor";
import { checkMaxNorm, clipTo, finiteTotal, type NormOptions, readNormOptions } from "./clip-grad-norm.ts";
import { gradientsOf } from "./gradients.ts";

/** What clipping by group needs of an optimizer. */
export interface Grouped {
  readonly paramGroups: readonly { readonly params: readonly Tensor[]; readonly paramNames?: readonly string[] }[];
}

/**
 * As `clipGradNorm_`, for each parameter group of an optimizer by itself: a group with large gradients does not shrink those of the
 * others. Returns one norm per group. (PyTorch has no such function.)
 * @param maxNorm one number for all groups, or one per group.
 */
export function clipGradNormPerGroup_(
  optimizer: Grouped,
  maxNorm: number | readonly number[],
  options: NormOptions & { readonly errorIfNonfinite: true },
): Promise<Tensor[]>;
export function clipGradNormPerGroup_(
  optimizer: Grouped,
  maxNorm: number | readonly number[],
  options?: NormOptions & { readonly errorIfNonfinite?: false },
): Tensor[];
export function clipGradNormPerGroup_(
  { paramGroups }: Grouped,
  maxNorm: number | readonly number[],
  options: NormOptions = {},
): Tensor[] | Promise<Tensor[]> {
  const operation = "clipGradNormPerGroup_";
  const settled = readNormOptions(operation, options);
  const limits = typeof maxNorm === "number" ? paramGroups.map(() => maxNorm) : maxNorm;
  if (limits.length !== paramGroups.length) {
    const facts = { groups: paramGroups.length, maxNorm: limits };
    throw new DescentError("argument", operation, "maxNorm must be one number, or one per group", facts);
  }
  for (const limit of limits) checkMaxNorm(operation, limit);
  const work = paramGroups.map(({ params, paramNames }, g) => {
    const named = params.map((p, i) => [paramNames?.[i] ?? `parameter ${i} of group ${g}`, p] as const);
    return gradientsOf(operation, named);
  });
  const totals = work.map((found, g) => clipTo(operation, found, limits[g] as number, settled));
  if (!settled.errorIfNonfinite) return totals;
  return Promise.all(totals.map((total, g) => finiteTotal(operation, work[g]!.gradients, total)));
}
