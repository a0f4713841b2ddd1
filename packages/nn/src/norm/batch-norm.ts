import { type CreateOptions, checkOptions, DescentError, ones, type Tensor, zeros } from "@descent/tensor";
import { Module } from "../module.ts";
import { Buffer, Parameter } from "../parameter.ts";
import { batchStandardize, standardizeWith, track } from "./normalize.ts";

export interface BatchNormOptions extends CreateOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** Share of a new batch in the running statistics; null gives all batches the same. Default: 0.1. */
  readonly momentum?: number | null;
  /** Whether there are a weight and a bias per channel. Default: true. */
  readonly affine?: boolean;
  /** Whether to keep running statistics for evaluation; without, each batch uses its own there too. Default: true. */
  readonly trackRunningStats?: boolean;
}

const optionNames = ["eps", "momentum", "affine", "trackRunningStats", "dtype", "backend"];

/** PyTorch's names of the buffers. */
const stateNames: Readonly<Record<string, string>> = {
  runningMean: "running_mean",
  runningVar: "running_var",
  numBatchesTracked: "num_batches_tracked",
};

/**
 * What the batch norms have in common: per channel (the second axis), over all else,
 * y = (x − mean) / √(variance + ε) · weight + bias. Training uses the batch's own statistics and moves the running ones towards
 * them, with the unbiased variance; evaluation uses the running ones. Ioffe & Szegedy 2015, arXiv:1502.03167.
 * Two launches forward in training, one in evaluation; one backward.
 */
abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  readonly numBatchesTracked: Buffer | null;
  /** Numbers of axes that inputs may have. */
  protected abstract readonly ranks: readonly number[];

  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    checkOptions(new.target.name, options, optionNames);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true, ...where } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures], where)) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures], where)) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros([numFeatures], where)) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones([numFeatures], where)) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer(zeros([], { ...where, dtype: "int64" })) : null;
  }

  protected override stateName(property: string): string {
    return stateNames[property] ?? property;
  }

  override forward(x: Tensor): Tensor {
    const [weight, bias] = [this.weight, this.bias].map((t) => (t ? this.#column(t, x) : null)) as [
      Tensor | null,
      Tensor | null,
    ];
    this.#check(x);
    const { runningMean, runningVar, numBatchesTracked, numFeatures, eps } = this;
    if (!this.training && runningMean && runningVar)
      return standardizeWith(x, this.#column(runningMean, x), this.#column(runningVar, x), weight, bias, eps);
    const dims = [...x.shape.keys()].filter((axis) => axis !== 1);
    const { y, mean, variance } = batchStandardize(x, dims, weight, bias, eps);
    if (this.training && runningMean && runningVar && numBatchesTracked) {
      const count = x.size / numFeatures;
      const running = { mean: runningMean, variance: runningVar, batches: numBatchesTracked.detach().reshape([1]) };
      const own = [mean, variance].map((t) => t.reshape([numFeatures])) as [Tensor, Tensor];
      track(running, ...own, count / (count - 1), this.momentum);
    }
    return y;
  }

  /** A value per channel, as it lies along the second axis of `x`. */
  #column(perChannel: Tensor, x: Tensor): Tensor {
    return perChannel.reshape([1, perChannel.size, ...x.shape.slice(2).map(() => 1)]);
  }

  #check(x: Tensor): void {
    const name = this.constructor.name;
    const shape = `[${x.shape.join(", ")}]`;
    if (!this.ranks.includes(x.ndim)) {
      const facts = { input: shape, axes: x.ndim };
      throw new DescentError(
        "shape",
        name,
        `takes ${this.ranks.join(" or ")} axes`,
        facts,
        "The second axis counts the channels.",
      );
    }
    if (x.shape[1] !== this.numFeatures)
      throw new DescentError("shape", name, "the input has another number of channels", {
        input: shape,
        numFeatures: this.numFeatures,
      });
    if ((this.training || !this.runningMean) && x.size === this.numFeatures) {
      const hint = "Use a larger batch, or dropLast in the loader; eval() for single samples.";
      throw new DescentError(
        "shape",
        name,
        "a channel of one value has no variance to learn from",
        { input: shape },
        hint,
      );
    }
  }

  protected override extraRepr(): string {
    const { numFeatures, eps, momentum } = this;
    return `${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${this.weight !== null}, trackRunningStats=${this.runningMean !== null}`;
  }
}

/** Batch normalisation of `[samples, channels]` or `[samples, channels, length]` (torch.nn.BatchNorm1d). */
export class BatchNorm1d extends BatchNorm {
  protected override readonly ranks = [2, 3];
}

/** Batch normalisation of images, `[samples, channels, height, width]` (torch.nn.BatchNorm2d). */
export class BatchNorm2d extends BatchNorm {
  protected override readonly ranks = [4];
}

/** Batch normalisation of volumes, `[samples, channels, depth, height, width]` (torch.nn.BatchNorm3d). */
export class BatchNorm3d extends BatchNorm {
  protected override readonly ranks = [5];
}
