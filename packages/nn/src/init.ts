import {
  checkOptions,
  DescentError,
  nearest,
  normal_ as normal,
  type Tensor,
  uniform_ as uniform,
} from "@descent/tensor";
import { checkRank, unrecorded, write_ } from "./init-host.ts";

/**
 * Ways to fill a tensor before training (torch.nn.init). All change the tensor itself, record nothing and return it; the random
 * ones draw from the generator that `manualSeed` seeds.
 */

type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "conv3d"
  | "convTranspose1d"
  | "convTranspose2d"
  | "convTranspose3d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leakyRelu"
  | "selu";

const gains: Readonly<Record<Nonlinearity, number>> = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  conv3d: 1,
  convTranspose1d: 1,
  convTranspose2d: 1,
  convTranspose3d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.SQRT2,
  leakyRelu: Math.sqrt(2 / (1 + 0.01 ** 2)),
  selu: 3 / 4,
};

/** Factor by which a nonlinearity shrinks what passes (torch.nn.init.calculate_gain); `param` is the slope of leakyRelu, 0.01. */
export function calculateGain(nonlinearity: Nonlinearity, param: number | null = null): number {
  if (!Object.hasOwn(gains, nonlinearity)) {
    const hint = `Did you mean "${nearest(String(nonlinearity), Object.keys(gains))}"?`;
    throw new DescentError("option", "calculateGain", "unknown nonlinearity", { nonlinearity }, hint);
  }
  return nonlinearity === "leakyRelu" && param !== null ? Math.sqrt(2 / (1 + param ** 2)) : gains[nonlinearity];
}

/** Inputs and outputs that one element meets: the first axes of a weight are outputs and inputs, the others its window. */
export function calculateFans({ shape }: Tensor): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    const hint = "Use uniform_ or normal_ for vectors.";
    throw new DescentError("shape", "init", "a fan needs two axes at least", { shape: `[${shape.join(", ")}]` }, hint);
  }
  const [out, into, ...window] = shape as [number, number, ...number[]];
  const size = window.reduce((product, extent) => product * extent, 1);
  return { fanIn: into * size, fanOut: out * size };
}

/** Uniform in [low, high). */
export const uniform_ = (t: Tensor, low = 0, high = 1): Tensor => unrecorded(t, (x) => uniform(x, low, high));
/** Normal with mean and standard deviation. */
export const normal_ = (t: Tensor, mean = 0, std = 1): Tensor => unrecorded(t, (x) => normal(x, mean, std));
export const constant_ = (t: Tensor, value: number): Tensor => unrecorded(t, (x) => x.fill_(value));
export const ones_ = (t: Tensor): Tensor => constant_(t, 1);
export const zeros_ = (t: Tensor): Tensor => constant_(t, 0);

/** Ones on the diagonal of a matrix, zeros elsewhere. */
export function eye_(t: Tensor): Tensor {
  checkRank("eye_", t, t.ndim === 2, "a matrix");
  const columns = t.shape[1] as number;
  return write_(
    t,
    new Float64Array(t.size).map((_, i) => Number(i % columns === Math.floor(i / columns))),
  );
}

/** A convolution's weight that passes its input channels through, as far as there are outputs for them, in each group. */
export function dirac_(t: Tensor, groups = 1): Tensor {
  checkRank("dirac_", t, t.ndim >= 3 && t.ndim <= 5, "the weight of a convolution, 3 to 5 axes");
  const [out, into, ...window] = t.shape as [number, number, ...number[]];
  if (out % groups !== 0) {
    const hint = "groups divides the first extent.";
    throw new DescentError(
      "argument",
      "dirac_",
      "the channels do not fall into groups",
      { channels: out, groups },
      hint,
    );
  }
  const size = window.reduce((product, extent) => product * extent, 1);
  const center = window.reduce((at, extent) => at * extent + Math.floor(extent / 2), 0);
  const numbers = new Float64Array(t.size);
  const perGroup = out / groups;
  for (let channel = 0; channel < out; channel++) {
    const within = channel % perGroup;
    if (within < into) numbers[(channel * into + within) * size + center] = 1;
  }
  return write_(t, numbers);
}

export interface XavierOptions {
  /** See `calculateGain`. Default: 1. */
  readonly gain?: number;
}

function xavierStd(operation: string, t: Tensor, options: XavierOptions): number {
  checkOptions(operation, options, ["gain"]);
  const { fanIn, fanOut } = calculateFans(t);
  return (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
}

/** Uniform within ± gain √(6 / (fanIn + fanOut)). Glorot & Bengio 2010. */
export function xavierUniform_(t: Tensor, options: XavierOptions = {}): Tensor {
  const bound = Math.sqrt(3) * xavierStd("xavierUniform_", t, options);
  return uniform_(t, -bound, bound);
}

/** Normal with standard deviation gain √(2 / (fanIn + fanOut)). Glorot & Bengio 2010. */
export const xavierNormal_ = (t: Tensor, options: XavierOptions = {}): Tensor =>
  normal_(t, 0, xavierStd("xavierNormal_", t, options));

export interface KaimingOptions {
  /** Slope of leakyRelu below 0. Default: 0. */
  readonly a?: number;
  /** "fanIn" keeps the size of what goes forward, "fanOut" that of gradients. Default: "fanIn". */
  readonly mode?: "fanIn" | "fanOut";
  /** Default: "leakyRelu". */
  readonly nonlinearity?: Nonlinearity;
}

function kaimingStd(operation: string, t: Tensor, options: KaimingOptions): number {
  checkOptions(operation, options, ["a", "mode", "nonlinearity"]);
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  const fans = calculateFans(t);
  if (!Object.hasOwn(fans, mode)) {
    const hint = `Did you mean "${nearest(String(mode), Object.keys(fans))}"?`;
    throw new DescentError("option", operation, "unknown mode", { mode }, hint);
  }
  return calculateGain(nonlinearity, a) / Math.sqrt(fans[mode]);
}

/** Uniform within ± gain √(3 / fan). He et al. 2015, arXiv:1502.01852. */
export function kaimingUniform_(t: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd("kaimingUniform_", t, options);
  return uniform_(t, -bound, bound);
}

/** Normal with standard deviation gain / √fan. He et al. 2015, arXiv:1502.01852. */
export const kaimingNormal_ = (t: Tensor, options: KaimingOptions = {}): Tensor =>
  normal_(t, 0, kaimingStd("kaimingNormal_", t, options));

export { orthogonal_, sparse_, type TruncNormalOptions, truncNormal_ } from "./init-host.ts";
