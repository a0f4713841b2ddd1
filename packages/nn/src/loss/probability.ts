import type { Tensor, Value } from "@descent/tensor";
import { checkLoss, checkSameShape, pointwise, type Reduction, type ReductionOptions } from "./reduction.ts";

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** Factor of every element's loss; broadcasts. Default: 1. */
  readonly weight?: Tensor | null;
}

export interface WithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Factor of the positive part, per class; broadcasts. Above 1 it trades precision for recall. Default: 1. */
  readonly posWeight?: Tensor | null;
}

const times = (value: Value, weight: Value | undefined): Value => (weight ? value.mul(weight) : value);

/** Logarithms are not let below this, so that no loss is infinite (torch.nn.BCELoss). */
const least = -100;
/** What keeps the derivative finite at 0 and 1: in single precision in PyTorch, whatever the dtype. */
const eps = Math.fround(1e-12);

const bce = (p: Value, t: Value): Value => {
  const [yes, no] = [p.log().maximum(least), p.neg().log1p().maximum(least)];
  const loss = t.sub(1).mul(no).sub(t.mul(yes));
  return loss.ruled([p, t], (g, _y, p, t) => [
    g.mul(p.sub(t)).div(p.complement().mul(p).maximum(eps)),
    g.mul(p.neg().log1p().sub(p.log())),
  ]);
};

/**
 * −(target ln input + (1 − target) ln(1 − input)), averaged by default (torch.nn.functional.binary_cross_entropy). Inputs are
 * probabilities; one outside [0, 1] gives NaN. `binaryCrossEntropyWithLogits` takes scores, and is the safer of the two.
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  checkLoss("binaryCrossEntropy", options, ["weight"]);
  checkSameShape("binaryCrossEntropy", input, target);
  const { weight = null, reduction = "mean" } = options;
  const spec = {
    name: "binaryCrossEntropy",
    key: `binaryCrossEntropy ${weight !== null}`,
    body: ([p, t, w]: readonly Value[]) => times(bce(p as Value, t as Value), w),
  };
  return pointwise(spec, [input, target, ...(weight ? [weight.detach()] : [])], reduction);
}

/** ln σ(x), without overflow. */
const logSigmoid = (x: Value): Value =>
  x
    .minimum(0)
    .sub(x.abs().neg().exp().log1p())
    .ruled([x], (g, _y, x) => [g.mul(x.neg().sigmoid())]);

/**
 * Binary cross-entropy of sigmoid(input), computed without overflow (torch.nn.functional.binary_cross_entropy_with_logits).
 * Averaged by default.
 */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options: WithLogitsOptions = {}): Tensor {
  checkLoss("binaryCrossEntropyWithLogits", options, ["weight", "posWeight"]);
  checkSameShape("binaryCrossEntropyWithLogits", input, target);
  const { weight = null, posWeight = null, reduction = "mean" } = options;
  const spec = {
    name: "binaryCrossEntropyWithLogits",
    key: `binaryCrossEntropyWithLogits ${weight !== null} ${posWeight !== null}`,
    body([x, t, ...weights]: readonly Value[]) {
      const [score, truth] = [x as Value, t as Value];
      const positive = posWeight ? weights.pop() : undefined;
      const factor = positive ? positive.sub(1).mul(truth).add(1) : undefined;
      const loss = truth
        .complement()
        .mul(score)
        .sub(times(logSigmoid(score), factor));
      return times(loss, weights[0]);
    },
  };
  const weights = [weight, posWeight].filter((w) => w !== null).map((w) => w.detach());
  return pointwise(spec, [input, target, ...weights], reduction);
}

export interface KlDivOptions {
  /** "batchmean" divides the sum by the extent of the first axis, which is the divergence itself. Default: "mean", per element. */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target is given as logarithms, too. Default: false. */
  readonly logTarget?: boolean;
}

/** t ln t, which is 0 at 0; so is its derivative there, where PyTorch has NaN. */
const entropy = (t: Value): Value => t.eq(0).select(0, t.mul(t.eq(0).select(1, t).log()));

const kl = (logTarget: boolean) => ({
  name: "klDiv",
  key: `klDiv ${logTarget}`,
  body([input, target]: readonly Value[]) {
    const [x, t] = [input as Value, target as Value];
    return logTarget ? t.exp().mul(t.sub(x)) : entropy(t).sub(t.mul(x));
  },
});
const divergences = { plain: kl(false), logarithmic: kl(true) };

/**
 * target · (ln target − input), the Kullback–Leibler divergence with the input given as logarithms
 * (torch.nn.functional.kl_div).
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const { reduction = "mean", logTarget = false } = options;
  checkLoss("klDiv", options, ["logTarget"], ["batchmean"]);
  const spec = logTarget ? divergences.logarithmic : divergences.plain;
  if (reduction !== "batchmean") return pointwise(spec, [input, target], reduction);
  return pointwise(spec, [input, target], "sum").div(input.shape[0] ?? 1);
}
