import {
  applyTraced,
  DescentError,
  type DType,
  gradients,
  isFloat,
  record,
  runTraced,
  type Tensor,
  type Trace,
  type Traced,
  type Value,
} from "@descent/tensor";
import { checkIndices } from "../indices.ts";
import { checkLoss, checkReal, checkSameShape, type Reduction, showShape } from "./reduction.ts";

interface ClassOptions {
  /** Factor of each class's loss, [classes]. Default: 1. */
  readonly weight?: Tensor | null;
  /** Samples of this class count for nothing. Default: −100. */
  readonly ignoreIndex?: number;
  /** Default: "mean", over the weights of the samples that count. */
  readonly reduction?: Reduction;
}

export interface NllOptions extends ClassOptions {}

export interface CrossEntropyOptions extends ClassOptions {
  /** Share of the target that goes to all classes alike, 0 to 1. Default: 0. */
  readonly labelSmoothing?: number;
}

/** One of the losses below, as a row operation over the classes: what a sample loses, and the weight it has in a mean. */
interface Rows {
  readonly name: string;
  readonly key: string;
  readonly body: (x: readonly Value[], trace: Trace, count: Value) => readonly [loss: Value, weight: Value];
}

/** ln softmax along the row. The shift does not change the result, hence takes no part in the derivative. */
function logProbabilities(x: Value): Value {
  const shifted = x.sub(x.amax().detach());
  return shifted.sub(shifted.exp().sum().log());
}

/** Operands: input, target (class indices), weight if there is one, then the ignored index and the smoothing. */
function indexRows(name: string, logits: boolean, weighted: boolean, smoothed: boolean): Rows {
  return {
    name,
    key: `${name} ${weighted} ${smoothed}`,
    body(x, trace, count) {
      const [input, given, ...rest] = x as [Value, Value, ...Value[]];
      const weight = weighted ? rest.shift() : undefined;
      const [ignored, smoothing] = rest as [Value, Value];
      const target = trace.levelOf(given) === "element" ? given.amax() : given; // a row of one class
      const counts = target.ne(ignored);
      const lost = (logits ? logProbabilities(input) : input).neg();
      const weighed = weight ? lost.mul(weight) : lost;
      const hit = trace
        .index(trace.rank - 1)
        .cast(input.type)
        .eq(target);
      const own = hit.select(weighed, 0).sum();
      const spread = smoothed ? weighed.sum().mul(smoothing.div(count)) : null;
      const loss = spread ? own.mul(smoothing.complement()).add(spread) : own;
      const share = weight ? hit.select(weight, 0).sum() : trace.constant(1, input.type);
      // No such class: a loss that cannot be overlooked.
      const known = target.ge(0).and(target.lt(count));
      return [counts.select(known.select(loss, Number.NaN), 0), counts.select(share, 0)];
    },
  };
}

/** Operands: input, target (a probability per class), weight if there is one, then the smoothing. */
function probabilityRows(weighted: boolean, smoothed: boolean): Rows {
  const name = "crossEntropy";
  return {
    name,
    key: `${name} probabilities ${weighted} ${smoothed}`,
    body(x, trace, count) {
      const [input, given, ...rest] = x as [Value, Value, ...Value[]];
      const weight = weighted ? rest.shift() : undefined;
      const [smoothing] = rest as [Value];
      const target = smoothed ? given.mul(smoothing.complement()).add(smoothing.div(count)) : given;
      const lost = logProbabilities(input).neg().mul(target);
      return [(weight ? lost.mul(weight) : lost).sum(), trace.constant(1, input.type)];
    },
  };
}

const floats: Traced["dtype"] = ([x]) => (x as Tensor).dtype;
const pair = { dtype: floats, outputs: (computed: DType) => [computed, computed], perRow: [true, true] };

/** Σ loss / Σ weight, and Σ weight. */
const meanSpec: Traced = {
  name: "weightedMean",
  key: "weightedMean",
  ...pair,
  body([loss, weight]) {
    const total = (weight as Value).sum();
    return [(loss as Value).sum().div(total), total];
  },
};

/** The gradient of the input: the derivative of a row's loss, times the loss's own gradient over the sum of weights. */
const backwardSpec = ({ name, key, body }: Rows): Traced => ({
  name: `${name}Backward`,
  key: `${key} backward`,
  dtype: floats,
  body([g, total, input, ...rest], trace, count) {
    const x = trace.alias(input as Value, 0) as Value;
    const [loss] = body([x, ...rest], trace, count);
    return gradients(trace, [loss], [(g as Value).div(total as Value)], [x]) as Value[];
  },
});

/** Runs a loss over the class axis, the second one. Forward: one launch for the rows, one for the mean; backward: one. */
function classLoss(
  rows: Rows,
  reduction: Reduction,
  input: Tensor,
  target: Tensor,
  rest: readonly (Tensor | number)[],
): Tensor {
  const operands = [input, target, ...rest];
  const spec: Traced = { ...rows, ...pair };
  const call = { dims: [1], shape: input.shape };
  const perSample = input.shape.filter((_, axis) => axis !== 1);
  const all = { dims: input.shape.map((_, axis) => axis) };
  if (target.requiresGrad) {
    const losses = (applyTraced(spec, operands, call)[0] as Tensor).reshape(perSample);
    return reduction === "none" ? losses : reduction === "sum" ? losses.sum() : losses.mean();
  }
  const [losses, weights] = runTraced(
    spec,
    operands.map((x) => (typeof x === "number" ? x : x.detach())),
    call,
  ) as [Tensor, Tensor];
  const [mean, total] =
    reduction === "mean" ? (runTraced(meanSpec, [losses, weights], all) as [Tensor, Tensor]) : [null, 1];
  const value = mean ? mean.reshape([]) : reduction === "sum" ? losses.sum() : losses.reshape(perSample);
  const rowShape = input.shape.map((extent, axis) => (axis === 1 ? 1 : extent));
  return record(
    rows.name,
    [input],
    value,
    (g) => {
      const scale = reduction === "none" ? g.reshape(rowShape) : g;
      return [applyTraced(backwardSpec(rows), [scale, total, ...operands], call)[0] as Tensor];
    },
    [input, target],
  );
}

/** The weight of each class, as it lies along the second axis. */
function classWeights(operation: string, weight: Tensor | null, input: Tensor): Tensor[] {
  if (weight === null) return [];
  const classes = input.shape[1] as number;
  if (weight.ndim === 1 && weight.size === classes)
    return [weight.detach().reshape([1, classes, ...input.shape.slice(2).map(() => 1)])];
  const facts = { weight: showShape(weight), classes };
  throw new DescentError("shape", operation, "weight does not have one element per class", facts);
}

/** The losses with class indices: checks the target, and brings both operands into the shape [samples, classes, …]. */
function indexLoss(
  name: "crossEntropy" | "nllLoss",
  given: Tensor,
  target: Tensor,
  options: CrossEntropyOptions,
): Tensor {
  const { weight = null, ignoreIndex = -100, labelSmoothing = 0, reduction = "mean" } = options;
  const single = given.ndim === 1;
  const input = single ? given.reshape([1, ...given.shape]) : given;
  const expected = single ? [] : given.shape.filter((_, axis) => axis !== 1);
  if (given.ndim === 0 || target.shape.join() !== expected.join()) {
    const facts = { input: showShape(given), target: showShape(target), expected: `[${expected.join(", ")}]` };
    const hint = "Class indices have the shape of the input without its class axis, the second one.";
    throw new DescentError("shape", name, "input and target do not fit", facts, hint);
  }
  const classes = input.shape[1] as number;
  checkIndices(name, target, classes, ignoreIndex);
  const rows = indexRows(name, name === "crossEntropy", weight !== null, labelSmoothing > 0);
  const column = target.reshape(input.shape.map((extent, axis) => (axis === 1 ? 1 : extent)));
  const operands = [...classWeights(name, weight, input), ignoreIndex, labelSmoothing];
  const loss = classLoss(rows, reduction, input, column, operands);
  return single && reduction === "none" ? loss.reshape([]) : loss;
}

/**
 * Cross-entropy of softmax(input) with the target, averaged by default (torch.nn.functional.cross_entropy). `input` is
 * [samples, classes, …] or [classes], in scores that need not be normalised. `target` is either class indices (an integer
 * dtype, the shape of `input` without its class axis) or probabilities (floating point, the shape of `input`).
 * Throws code "argument" for a class that does not exist where the backend can tell at once; elsewhere the loss is NaN.
 * Two launches forward, one backward.
 *
 * @example
 * crossEntropy(model.forward(x), y).backward(); // [128, 10] and [128] int64
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const name = "crossEntropy";
  checkLoss(name, options, ["weight", "ignoreIndex", "labelSmoothing"]);
  checkReal(name, input, target);
  const { weight = null, labelSmoothing = 0, reduction = "mean" } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new DescentError("argument", name, "labelSmoothing is not between 0 and 1", { labelSmoothing });
  if (!isFloat(target.dtype)) return indexLoss(name, input, target, options);
  if (target.ndim < input.ndim) {
    const facts = { target: target.dtype, shape: showShape(target) };
    throw new DescentError(
      "dtype",
      name,
      "class indices have an integer dtype",
      facts,
      'Convert them with y.to("int64").',
    );
  }
  checkSameShape(name, input, target);
  const single = input.ndim === 1;
  const [scores, truth] = single ? [input.reshape([1, input.size]), target.reshape([1, input.size])] : [input, target];
  const rows = probabilityRows(weight !== null, labelSmoothing > 0);
  const loss = classLoss(rows, reduction, scores, truth, [...classWeights(name, weight, scores), labelSmoothing]);
  return single && reduction === "none" ? loss.reshape([]) : loss;
}

/** As `crossEntropy` with class indices, of an input that holds logarithms of probabilities (torch.nn.functional.nll_loss). */
export function nllLoss(input: Tensor, target: Tensor, options: NllOptions = {}): Tensor {
  checkLoss("nllLoss", options, ["weight", "ignoreIndex"]);
  checkReal("nllLoss", input, target);
  return indexLoss("nllLoss", input, target, options);
}
