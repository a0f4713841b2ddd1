import type { AvgPoolOptions, MaxPoolOptions, PerAxis, Tensor } from "@descent/tensor";
import * as ops from "@descent/tensor";
import { Module } from "../module.ts";

type Pool<O> = (x: Tensor, kernelSize: PerAxis, options?: O) => Tensor;

const show = (x: unknown): string => (Array.isArray(x) ? `[${x.join(", ")}]` : String(x));

/** A module around a pooling function; its options are the function's. */
abstract class PoolModule<O extends object> extends Module {
  readonly kernelSize: PerAxis;
  readonly options: O;
  readonly #pool: Pool<O>;

  constructor(pool: Pool<O>, kernelSize: PerAxis, options: O) {
    super();
    this.#pool = pool;
    this.kernelSize = kernelSize;
    this.options = options;
  }
  override forward(x: Tensor): Tensor {
    return this.#pool(x, this.kernelSize, this.options);
  }
  protected override extraRepr(): string {
    const options = Object.entries(this.options).map(([name, value]) => `${name}=${show(value)}`);
    return [`kernelSize=${show(this.kernelSize)}`, ...options].join(", ");
  }
}

type MaxOptions = Omit<MaxPoolOptions, "returnIndices">;

/** The largest element of every window of `[samples, channels, length]` (torch.nn.MaxPool1d). Stride: the window's size. */
export class MaxPool1d extends PoolModule<MaxOptions> {
  constructor(kernelSize: PerAxis, options: MaxOptions = {}) {
    super(ops.maxPool1d as Pool<MaxOptions>, kernelSize, options);
  }
}

/** The largest element of every window of `[samples, channels, height, width]` (torch.nn.MaxPool2d). Stride: the window's size. */
export class MaxPool2d extends PoolModule<MaxOptions> {
  constructor(kernelSize: PerAxis, options: MaxOptions = {}) {
    super(ops.maxPool2d as Pool<MaxOptions>, kernelSize, options);
  }
}

/** The mean of every window of `[samples, channels, length]` (torch.nn.AvgPool1d). Stride: the window's size. */
export class AvgPool1d extends PoolModule<AvgPoolOptions> {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super(ops.avgPool1d, kernelSize, options);
  }
}

/** The mean of every window of `[samples, channels, height, width]` (torch.nn.AvgPool2d). Stride: the window's size. */
export class AvgPool2d extends PoolModule<AvgPoolOptions> {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super(ops.avgPool2d, kernelSize, options);
  }
}

/** What the adaptive pools have in common: how large the result is to be. */
abstract class AdaptivePool extends Module {
  readonly outputSize: PerAxis;
  constructor(outputSize: PerAxis) {
    super();
    this.outputSize = outputSize;
  }
  protected override extraRepr(): string {
    return `outputSize=${show(this.outputSize)}`;
  }
}

/** Means over windows chosen so that `[samples, channels, outputSize]` comes out (torch.nn.AdaptiveAvgPool1d). */
export class AdaptiveAvgPool1d extends AdaptivePool {
  override forward(x: Tensor): Tensor {
    return ops.adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** Means over windows chosen so that `[samples, channels, …outputSize]` comes out (torch.nn.AdaptiveAvgPool2d). */
export class AdaptiveAvgPool2d extends AdaptivePool {
  override forward(x: Tensor): Tensor {
    return ops.adaptiveAvgPool2d(x, this.outputSize);
  }
}
