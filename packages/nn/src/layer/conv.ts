import {
  type Activation,
  type CreateOptions,
  checkOptions,
  conv1d,
  conv2d,
  conv3d,
  DescentError,
  empty,
  type PerAxis,
  type Tensor,
} from "@descent/tensor";
import { checkCount } from "../check.ts";
import { type Fusible, fusible } from "../fusion.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { resetFan } from "./linear.ts";

export interface ConvModuleOptions extends CreateOptions {
  /** Step between windows. Default: 1. */
  readonly stride?: PerAxis;
  /** Zeros on either side; "same" keeps the extents (stride 1 only), "valid" is 0. Default: 0. */
  readonly padding?: PerAxis | "same" | "valid";
  /** Step between the elements of a window. Default: 1. */
  readonly dilation?: PerAxis;
  /** Channels fall into so many groups that do not see each other. Default: 1. */
  readonly groups?: number;
  /** Whether there is a bias. Default: true. */
  readonly bias?: boolean;
}

const optionNames = ["stride", "padding", "dilation", "groups", "bias", "dtype", "backend"];
const show = (x: PerAxis | string): string => (typeof x === "object" ? `[${x.join(", ")}]` : String(x));

/** What the convolutions have in common. Weight and bias are uniform within ± 1 / √fan, fan = inChannels / groups · window. */
abstract class Conv extends Module implements Fusible {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  /** [outChannels, inChannels / groups, …kernelSize]. */
  readonly weight: Parameter;
  /** [outChannels]. */
  readonly bias: Parameter | null;
  readonly #window: Required<Pick<ConvModuleOptions, "stride" | "padding" | "dilation" | "groups">>;
  readonly #convolve: typeof conv2d;

  constructor(
    convolve: typeof conv2d,
    rank: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvModuleOptions,
  ) {
    super();
    const { name } = new.target;
    checkOptions(name, options, optionNames);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, ...where } = options;
    this.inChannels = checkCount(name, "inChannels", inChannels);
    this.outChannels = checkCount(name, "outChannels", outChannels);
    checkCount(name, "groups", groups);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      const hint = "groups divides both.";
      throw new DescentError(
        "argument",
        name,
        "the channels do not fall into groups",
        { inChannels, outChannels, groups },
        hint,
      );
    }
    this.kernelSize = typeof kernelSize === "number" ? new Array<number>(rank).fill(kernelSize) : [...kernelSize];
    if (this.kernelSize.length !== rank)
      throw new DescentError("argument", name, `kernelSize is one integer, or ${rank}`, {
        kernelSize: show(kernelSize),
      });
    for (const extent of this.kernelSize) checkCount(name, "kernelSize", extent);
    this.#window = { stride, padding, dilation, groups };
    this.#convolve = convolve;
    this.weight = new Parameter(empty([outChannels, inChannels / groups, ...this.kernelSize], where));
    this.bias = bias ? new Parameter(empty([outChannels], where)) : null;
    resetFan(this.weight, this.bias, this.weight.size / outChannels);
  }

  override forward(x: Tensor): Tensor {
    return this.#convolve(x, this.weight, this.bias, this.#window);
  }
  [fusible](x: Tensor, activation: Activation): Tensor {
    return this.#convolve(x, this.weight, this.bias, { ...this.#window, activation });
  }
  protected override extraRepr(): string {
    const { stride, padding, dilation, groups } = this.#window;
    const parts = [
      `${this.inChannels}, ${this.outChannels}, kernelSize=[${this.kernelSize.join(", ")}], stride=${show(stride)}`,
    ];
    if (padding !== 0) parts.push(`padding=${show(padding)}`);
    if (dilation !== 1) parts.push(`dilation=${show(dilation)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (this.bias === null) parts.push("bias=false");
    return parts.join(", ");
  }
}

/** Convolution of `[samples, inChannels, length]` with learned windows (torch.nn.Conv1d). One launch. */
export class Conv1d extends Conv {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvModuleOptions = {}) {
    super(conv1d, 1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution of `[samples, inChannels, height, width]` with learned windows (torch.nn.Conv2d). One launch.
 *
 * @example
 * new Conv2d(1, 32, 3, { padding: 1 }).forward(x); // [64, 1, 28, 28] to [64, 32, 28, 28]
 */
export class Conv2d extends Conv {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvModuleOptions = {}) {
    super(conv2d, 2, inChannels, outChannels, kernelSize, options);
  }
}

/** Convolution of `[samples, inChannels, depth, height, width]` with learned windows (torch.nn.Conv3d). One launch. */
export class Conv3d extends Conv {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvModuleOptions = {}) {
    super(conv3d, 3, inChannels, outChannels, kernelSize, options);
  }
}
