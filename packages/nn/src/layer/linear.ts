import { type Activation, type CreateOptions, checkOptions, empty, linear, type Tensor } from "@descent/tensor";
import { checkCount, checkTensor } from "../check.ts";
import { type Fusible, fusible } from "../fusion.ts";
import { kaimingUniform_, uniform_ } from "../init.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface LinearOptions extends CreateOptions {
  /** Whether there is a bias. Default: true. */
  readonly bias?: boolean;
}

/**
 * x · weightᵀ + bias: `[…, inFeatures]` to `[…, outFeatures]` (torch.nn.Linear). Weight and bias are uniform within ± 1 / √inFeatures
 * at first. One launch, with an activation that follows in a `Sequential` in the same one.
 *
 * @example
 * new Linear(784, 128).forward(x); // [64, 784] to [64, 128]
 */
export class Linear extends Module implements Fusible {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** [outFeatures, inFeatures]. */
  readonly weight: Parameter;
  /** [outFeatures]. */
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Linear", options, ["bias", "dtype", "backend"]);
    const { bias = true, ...where } = options;
    this.inFeatures = checkCount("Linear", "inFeatures", inFeatures, 0);
    this.outFeatures = checkCount("Linear", "outFeatures", outFeatures, 0);
    this.weight = new Parameter(empty([outFeatures, inFeatures], where));
    this.bias = bias ? new Parameter(empty([outFeatures], where)) : null;
    resetFan(this.weight, this.bias, inFeatures);
  }

  override forward(x: Tensor): Tensor {
    checkTensor("Linear", "the input", x);
    return linear(x, this.weight, this.bias);
  }
  [fusible](x: Tensor, activation: Activation): Tensor {
    checkTensor("Linear", "the input", x);
    return linear(x, this.weight, this.bias, { activation });
  }
  protected override extraRepr(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== null}`;
  }
}

/** PyTorch's default for layers with a fan: both uniform within ± 1 / √fan. */
export function resetFan(weight: Parameter, bias: Parameter | null, fanIn: number): void {
  if (weight.size > 0) kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (bias && fanIn > 0) uniform_(bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
  else if (bias) uniform_(bias, 0, 0);
}

/** Gives back what it is given, for a place that needs a module (torch.nn.Identity). */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
