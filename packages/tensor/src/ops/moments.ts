import { DescentError, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { checkOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import type { Traced } from "../traced.ts";
import { checkFloat, checkNotEmpty, type Dims, foldedAxes, type ReduceOptions, withoutAxes } from "./reduce.ts";

export interface MomentOptions extends ReduceOptions {
  /** Subtracted from the number of elements in the divisor. Default: 1 (Bessel's correction). */
  readonly correction?: number;
}

/** √x whose derivative at 0 is 0, as PyTorch's for std and norm. */
const root = (x: Value): Value => {
  const zero = x.eq(0);
  return zero.select(0, zero.select(1, x).sqrt());
};

/** Its derivative through the mean is 0, and would be NaN where the mean is infinite. */
function variance(x: Value, mean: Value, correction: Value, count: Value): Value {
  const divisor = count.sub(correction).maximum(0);
  const result = x.sub(mean).square().sum().div(divisor);
  return result.ruled([x], (g) => [g.mul(x.sub(mean)).mul(divisor.reciprocal().mul(2))]);
}

/** Moments over `dims`, `results` of them, in one launch. */
function moments(name: string, f: (mean: Value, variance: Value) => Value[], results: number) {
  const spec: Traced = {
    name,
    key: name,
    dtype: ([x]) => (x as Tensor).dtype,
    outputs: (computed) => new Array(results).fill(computed),
    perRow: new Array(results).fill(true),
    body: ([x, correction], _, count) => {
      const mean = x!.sum().div(count);
      return f(mean, variance(x!, mean, correction!, count));
    },
  };
  return (x: Tensor, dims: Dims = null, options: MomentOptions = {}): Tensor[] => {
    checkOptions(name, options, ["keepDim", "correction"]);
    checkFloat(name, x);
    const { keepDim = false, correction = 1 } = options;
    const axes = foldedAxes(name, x, dims);
    return applyTraced(spec, [x, correction], { dims: axes }).map((kept) => withoutAxes(kept, axes, keepDim));
  };
}

const variances = moments("var", (_, v) => [v], 1);
const deviations = moments("std", (_, v) => [root(v)], 1);
const varianceAndMean = moments("varMean", (mean, v) => [v, mean], 2);
const deviationAndMean = moments("stdMean", (mean, v) => [root(v), mean], 2);

/** Variance over `dims` (torch.var), divided by count − correction. */
const varianceOf = (x: Tensor, dims?: Dims, options?: MomentOptions): Tensor =>
  variances(x, dims, options)[0] as Tensor;

export { varianceOf as var };
/** Standard deviation over `dims` (torch.std): the root of `var`. Its derivative at 0 is taken as 0. */
export const std = (x: Tensor, dims?: Dims, options?: MomentOptions): Tensor =>
  deviations(x, dims, options)[0] as Tensor;
/** Variance and mean in one launch (torch.var_mean). */
export const varMean = (x: Tensor, dims?: Dims, options?: MomentOptions): [Tensor, Tensor] =>
  varianceAndMean(x, dims, options) as [Tensor, Tensor];
/** Standard deviation and mean in one launch (torch.std_mean). */
export const stdMean = (x: Tensor, dims?: Dims, options?: MomentOptions): [Tensor, Tensor] =>
  deviationAndMean(x, dims, options) as [Tensor, Tensor];

/** x to a power, with 0 at 0 and no derivative there. */
function powered(x: Value, exponent: Value): Value {
  const zero = x.eq(0);
  return zero.select(0, zero.select(1, x).pow(exponent));
}

/** (Σ |x|ᵖ)^(1/p): sign(x) |x|ᵖ⁻¹ norm¹⁻ᵖ is its derivative, 0 where an element or the norm is 0. */
const general = (x: Value, p: Value): Value =>
  x
    .abs()
    .pow(p)
    .sum()
    .pow(p.reciprocal())
    .ruled([x], (g, y) => {
      const scale = g.mul(powered(y, p.complement()));
      return [
        x
          .sign()
          .mul(powered(x.abs(), p.sub(1)))
          .mul(scale),
      ];
    });

/** An extreme |x|, whose derivative is shared among equals. */
const extreme = (x: Value, found: Value): Value =>
  found.ruled([x], (g, y) => {
    const hit = x.abs().eq(y);
    const ties = hit.select(1, 0, x.type).sum();
    return [hit.select(x.sign().mul(g.div(ties)), 0)];
  });

type NormKind = "0" | "1" | "2" | "Infinity" | "-Infinity" | "p";

const norms: Record<NormKind, (x: Value, p: Value) => Value> = {
  "0": (x) => x.ne(0).select(1, 0, x.type).sum(),
  "1": (x) => x.abs().sum(),
  "2": (x) => root(x.square().sum()),
  Infinity: (x) => extreme(x, x.abs().amax()),
  "-Infinity": (x) => extreme(x, x.abs().amin()),
  p: general,
};

/** The exponents with a formula of their own; other numbers go along as uniforms. */
const kindOf = (p: number): NormKind => (Object.hasOwn(norms, String(p)) ? (String(p) as NormKind) : "p");

/** Vector norm over `dims` (torch.linalg.vector_norm): (Σ |x|ᵖ)^(1/p), any p, also 0 and ±∞. Default: p = 2, all axes. */
export function norm(x: Tensor, p = 2, dims: Dims = null, options: ReduceOptions = {}): Tensor {
  checkOptions("norm", options, ["keepDim"]);
  if (typeof p !== "number" || Number.isNaN(p))
    throw new DescentError(
      "argument",
      "norm",
      "the order is no number",
      { p },
      "Use Infinity for the largest element.",
    );
  checkFloat("norm", x);
  const axes = foldedAxes("norm", x, dims);
  if (p < 0 || p === Number.POSITIVE_INFINITY) checkNotEmpty("norm", x, axes);
  const kind = kindOf(p);
  const spec: Traced = {
    name: "norm",
    key: `norm ${kind}`,
    dtype: () => x.dtype,
    perRow: [true],
    body: ([v, order]) => [norms[kind](v!, order!)],
  };
  const [kept] = applyTraced(spec, [x, p], { dims: axes });
  return withoutAxes(kept as Tensor, axes, options.keepDim ?? false);
}
