import { DescentError, type Tensor, type Value } from "@descent/tensor";
import { checkLoss, pointwise, type ReductionOptions } from "./reduction.ts";

const difference = ([input, target]: readonly Value[]): Value => (input as Value).sub(target as Value);

const squared = { name: "mseLoss", body: (x: readonly Value[]) => difference(x).square() };
const absolute = { name: "l1Loss", body: (x: readonly Value[]) => difference(x).abs() };

/** A parabola within `reach` of 0 and straight lines beyond, whose slopes are `slope`: stated, since beyond it overflows. */
function bend(x: readonly Value[], slope: (reach: Value) => Value, f: (distance: Value, reach: Value) => Value): Value {
  const [input, target, reach] = x as readonly [Value, Value, Value];
  return f(input.sub(target).abs(), reach).ruled([input, target], (g, _y, input, target) => {
    const d = input.sub(target);
    const steep = g.mul(slope(reach));
    const within = d.div(reach).mul(steep);
    const toInput = d.ge(reach).select(steep, d.le(reach.neg()).select(steep.neg(), within));
    return [toInput, toInput.neg()];
  });
}

/** Lines of slope 1: both over `beta`. */
const smooth = {
  name: "smoothL1Loss",
  body: (x: readonly Value[]) =>
    bend(
      x,
      (beta) => beta.div(beta),
      (d, beta) => d.lt(beta).select(d.square().mul(0.5).div(beta), d.sub(beta.mul(0.5))),
    ),
};

/** A parabola of curvature 1. */
const huber = {
  name: "huberLoss",
  body: (x: readonly Value[]) =>
    bend(
      x,
      (delta) => delta,
      (d, delta) => d.le(delta).select(d.square().mul(0.5), d.sub(delta.mul(0.5)).mul(delta)),
    ),
};

/**
 * (input − target)², averaged by default; operands broadcast (torch.nn.functional.mse_loss). One launch forward, one backward.
 *
 * @example
 * mseLoss(model.forward(x), y).backward();
 */
export function mseLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  checkLoss("mseLoss", options, []);
  return pointwise(squared, [input, target], options.reduction ?? "mean");
}

/** |input − target|, averaged by default; operands broadcast (torch.nn.functional.l1_loss). */
export function l1Loss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  checkLoss("l1Loss", options, []);
  return pointwise(absolute, [input, target], options.reduction ?? "mean");
}

export interface SmoothL1Options extends ReductionOptions {
  /** Distance up to which the loss is a parabola; at 0 it is the L1 loss. Default: 1. */
  readonly beta?: number;
}

/** ½ d² / β below β, d − ½ β above, d = |input − target| (torch.nn.functional.smooth_l1_loss). */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  checkLoss("smoothL1Loss", options, ["beta"]);
  const { beta = 1, reduction = "mean" } = options;
  if (!(beta >= 0)) throw new DescentError("argument", "smoothL1Loss", "beta is negative", { beta }, "Default: 1.");
  return beta === 0
    ? pointwise(absolute, [input, target], reduction)
    : pointwise(smooth, [input, target, beta], reduction);
}

export interface HuberOptions extends ReductionOptions {
  /** Distance up to which the loss is a parabola. Default: 1. */
  readonly delta?: number;
}

/** ½ d² up to δ, δ (d − ½ δ) above, d = |input − target|. Huber 1964; torch.nn.functional.huber_loss. */
export function huberLoss(input: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  checkLoss("huberLoss", options, ["delta"]);
  const { delta = 1, reduction = "mean" } = options;
  if (!(delta > 0)) throw new DescentError("argument", "huberLoss", "delta is not positive", { delta }, "Default: 1.");
  return pointwise(huber, [input, target, delta], reduction);
}
