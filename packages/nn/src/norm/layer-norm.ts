import { type CreateOptions, checkOptions, DescentError, ones, type Tensor, zeros } from "@descent/tensor";
import { checkCount } from "../check.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { scaleToUnit, standardize } from "./normalize.ts";

/** The axes at the end of `x` that `shape` describes; throws where they differ. */
function lastAxes(operation: string, x: Tensor, shape: readonly number[]): number[] {
  const start = x.ndim - shape.length;
  if (shape.length > 0 && start >= 0 && shape.every((extent, i) => extent === x.shape[start + i]))
    return shape.map((_, i) => start + i);
  const facts = { input: `[${x.shape.join(", ")}]`, normalizedShape: `[${shape.join(", ")}]` };
  throw new DescentError("shape", operation, "the last axes of the input have other extents", facts);
}

export interface LayerNormParts {
  /** In the shape of the normalised axes. Default: none. */
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  /** Default: 1e-5. */
  readonly eps?: number;
}

/**
 * (x − mean) / √(variance + ε) over the last axes, times weight, plus bias (torch.nn.functional.layer_norm). One launch.
 * Ba et al. 2016, arXiv:1607.06450.
 */
export function layerNorm(x: Tensor, normalizedShape: readonly number[], options: LayerNormParts = {}): Tensor {
  checkOptions("layerNorm", options, ["weight", "bias", "eps"]);
  const { weight = null, bias = null, eps = 1e-5 } = options;
  return standardize(x, lastAxes("layerNorm", x, normalizedShape), weight, bias, eps);
}

/** The smallest step from 1 in each dtype: what keeps RMS norm finite by default. */
const epsilons: Readonly<Record<string, number>> = { float64: 2 ** -52, float16: 2 ** -10, bfloat16: 2 ** -7 };

/** x / √(mean of squares + ε) over the last axes, times weight (torch.nn.functional.rms_norm). Default ε: the dtype's own. */
export function rmsNorm(
  x: Tensor,
  normalizedShape: readonly number[],
  options: Omit<LayerNormParts, "bias"> = {},
): Tensor {
  checkOptions("rmsNorm", options, ["weight", "eps"]);
  const { weight = null, eps = epsilons[x.dtype] ?? 2 ** -23 } = options;
  return scaleToUnit(x, lastAxes("rmsNorm", x, normalizedShape), weight, null, eps);
}

export interface GroupNormParts {
  /** One per channel. Default: none. */
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  /** Default: 1e-5. */
  readonly eps?: number;
}

/**
 * As `layerNorm`, over the channels of a group and all axes behind them (torch.nn.functional.group_norm).
 * Wu & He 2018, arXiv:1803.08494.
 */
export function groupNorm(x: Tensor, numGroups: number, options: GroupNormParts = {}): Tensor {
  checkOptions("groupNorm", options, ["weight", "bias", "eps"]);
  const { weight = null, bias = null, eps = 1e-5 } = options;
  const [samples, channels, ...rest] = x.shape as [number, number, ...number[]];
  if (x.ndim < 2 || !Number.isInteger(numGroups) || numGroups < 1 || channels % numGroups !== 0) {
    const facts = { input: `[${x.shape.join(", ")}]`, numGroups };
    throw new DescentError(
      "shape",
      "groupNorm",
      "the channels do not fall into groups",
      facts,
      "numGroups divides the second extent.",
    );
  }
  const each = channels / numGroups;
  const grouped = x.reshape([samples, numGroups, each, ...rest]);
  const spread = (t: Tensor | null) => t?.reshape([1, numGroups, each, ...rest.map(() => 1)]) ?? null;
  const dims = [...grouped.shape.keys()].slice(2);
  return standardize(grouped, dims, spread(weight), spread(bias), eps).reshape(x.shape);
}

interface AffineOptions extends CreateOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
}

export interface LayerNormOptions extends AffineOptions {
  /** Whether there is a weight, and a bias. Default: true. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is a bias. Default: as `elementwiseAffine`. */
  readonly bias?: boolean;
}

const listed = (shape: number | readonly number[]): readonly number[] => (typeof shape === "number" ? [shape] : shape);

/** `layerNorm` with a learned weight (1 at first) and bias (0) over the last axes (torch.nn.LayerNorm). */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    checkOptions("LayerNorm", options, ["eps", "elementwiseAffine", "bias", "dtype", "backend"]);
    const { eps = 1e-5, elementwiseAffine = true, bias = true, ...where } = options;
    this.normalizedShape = listed(normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, where)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape, where)) : null;
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
  protected override extraRepr(): string {
    return `[${this.normalizedShape.join(", ")}], eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }
}

export interface RMSNormOptions extends CreateOptions {
  /** Added to the mean of squares. Default: the smallest step from 1 in the input's dtype. */
  readonly eps?: number | null;
  /** Whether there is a weight. Default: true. */
  readonly elementwiseAffine?: boolean;
}

/** `rmsNorm` with a learned weight (1 at first) over the last axes (torch.nn.RMSNorm). */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    super();
    checkOptions("RMSNorm", options, ["eps", "elementwiseAffine", "dtype", "backend"]);
    const { eps = null, elementwiseAffine = true, ...where } = options;
    this.normalizedShape = listed(normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, where)) : null;
  }

  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, { weight: this.weight, ...(this.eps !== null && { eps: this.eps }) });
  }
  protected override extraRepr(): string {
    return `[${this.normalizedShape.join(", ")}], eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }
}

export interface GroupNormOptions extends AffineOptions {
  /** Whether there are a weight and a bias per channel. Default: true. */
  readonly affine?: boolean;
}

/** `groupNorm` with a learned weight (1 at first) and bias (0) per channel (torch.nn.GroupNorm). */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    super();
    checkOptions("GroupNorm", options, ["eps", "affine", "dtype", "backend"]);
    const { eps = 1e-5, affine = true, ...where } = options;
    checkCount("GroupNorm", "numGroups", numGroups);
    checkCount("GroupNorm", "numChannels", numChannels);
    if (numChannels % numGroups !== 0) {
      const hint = "numGroups divides numChannels.";
      const facts = { numChannels, numGroups };
      throw new DescentError("argument", "GroupNorm", "the channels do not fall into groups", facts, hint);
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? new Parameter(ones([numChannels], where)) : null;
    this.bias = affine ? new Parameter(zeros([numChannels], where)) : null;
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }
  protected override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}, affine=${this.weight !== null}`;
  }
}
