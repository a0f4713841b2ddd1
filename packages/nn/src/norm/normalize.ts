import { applyTraced, runTraced, type Tensor, type Traced, type Value } from "@descent/tensor";

const floats: Traced["dtype"] = ([x]) => (x as Tensor).dtype;

/** weight · x + bias, of what there is. */
export const affine = (x: Value, weight: Value | undefined, bias: Value | undefined): Value => {
  const scaled = weight ? x.mul(weight) : x;
  return bias ? scaled.add(bias) : scaled;
};

/** Splits the optional operands weight and bias off the numbers that follow them. */
export function parts(rest: readonly Value[], weighted: boolean, biased: boolean) {
  const weight = weighted ? rest[0] : undefined;
  const bias = biased ? rest[Number(weighted)] : undefined;
  return { weight, bias, numbers: rest.slice(Number(weighted) + Number(biased)) as [Value, ...Value[]] };
}

/** Mean and biased variance along the row, in two passes: no cancellation. */
function moments(x: Value, count: Value): { mean: Value; variance: Value } {
  const mean = x.sum().div(count);
  return { mean, variance: x.sub(mean).square().sum().div(count) };
}

/** (x − mean) / √(variance + ε) along the row. The stated derivative needs one pass less than the derived one. */
function standardized(x: Value, eps: Value, count: Value): Value {
  const { mean, variance } = moments(x, count);
  const y = x.sub(mean).mul(variance.add(eps).rsqrt());
  return y.ruled([x], (g, y, x) => {
    const along = g.mul(y).sum().div(count);
    const deviation = g.sub(g.sum().div(count)).sub(y.mul(along));
    return [deviation.mul(moments(x, count).variance.add(eps).rsqrt())];
  });
}

const scaledToUnit = (x: Value, eps: Value, count: Value): Value => x.mul(x.square().sum().div(count).add(eps).rsqrt());

/** A row operation on x followed by weight and bias, all in one launch; they broadcast to the shape of `x`. */
function rowNorm(name: string, f: (x: Value, eps: Value, count: Value) => Value) {
  return (x: Tensor, dims: readonly number[], weight: Tensor | null, bias: Tensor | null, eps: number): Tensor => {
    const [weighted, biased] = [weight !== null, bias !== null];
    const spec: Traced = {
      name,
      key: `${name} ${weighted} ${biased}`,
      dtype: floats,
      body([v, ...rest], _trace, count) {
        const { weight, bias, numbers } = parts(rest, weighted, biased);
        return [affine(f(v as Value, numbers[0], count), weight, bias)];
      },
    };
    const operands = [x, weight, bias, eps].filter((operand) => operand !== null);
    return applyTraced(spec, operands, { dims, shape: x.shape })[0] as Tensor;
  };
}

/** (x − mean) / √(variance + ε) along `dims`, times weight, plus bias. */
export const standardize = rowNorm("layerNorm", standardized);
/** x / √(mean of squares + ε) along `dims`, times weight. */
export const scaleToUnit = rowNorm("rmsNorm", scaledToUnit);

/** A batch's own statistics: standardises along `dims`, and gives mean and biased variance beside. */
export function batchStandardize(
  x: Tensor,
  dims: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
) {
  const [weighted, biased] = [weight !== null, bias !== null];
  const spec: Traced = {
    name: "batchNorm",
    key: `batchNorm ${weighted} ${biased}`,
    dtype: floats,
    outputs: (computed) => [computed, computed, computed],
    perRow: [false, true, true],
    body([v, ...rest], _trace, count) {
      const { weight, bias, numbers } = parts(rest, weighted, biased);
      const { mean, variance } = moments(v as Value, count);
      const y = standardized(v as Value, numbers[0], count);
      return [affine(y, weight, bias), mean.detach(), variance.detach()];
    },
  };
  const operands = [x, weight, bias, eps].filter((operand) => operand !== null);
  const [y, mean, variance] = applyTraced(spec, operands, { dims, shape: x.shape }) as [Tensor, Tensor, Tensor];
  return { y, mean: mean.detach(), variance: variance.detach() };
}

/** Standardises with given statistics, element by element. */
export function standardizeWith(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  const [weighted, biased] = [weight !== null, bias !== null];
  const spec: Traced = {
    name: "batchNorm",
    key: `batchNorm given ${weighted} ${biased}`,
    dtype: floats,
    body([v, m, s, ...rest]) {
      const { weight, bias, numbers } = parts(rest, weighted, biased);
      const y = (v as Value).sub(m as Value).mul((s as Value).add(numbers[0]).rsqrt());
      return [affine(y, weight, bias)];
    },
  };
  const operands = [x, mean, variance, weight, bias, eps].filter((operand) => operand !== null);
  return applyTraced(spec, operands, { shape: x.shape })[0] as Tensor;
}

/** Running statistics of one batch norm, each [channels], and the number of batches they come from, [1]. */
export interface RunningStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly batches: Tensor;
}

/** One batch joins the running statistics, in one launch. `momentum` null: all batches count alike. */
export function track(
  running: RunningStatistics,
  mean: Tensor,
  variance: Tensor,
  unbiased: number,
  momentum: number | null,
): void {
  const spec: Traced = {
    name: "trackStatistics",
    key: `trackStatistics ${momentum === null}`,
    dtype: floats,
    outputs: (computed) => [computed, computed, running.batches.dtype],
    perRow: [false, false, true],
    body([runningMean, runningVariance, batches, m, v, correction, given], trace) {
      const seen = batches as Value;
      const count = (trace.levelOf(seen) === "element" ? seen.amax() : seen).add(1); // one channel: its row is one element
      const share = momentum === null ? count.reciprocal() : (given as Value);
      const moved = (from: Value, to: Value) => from.mul(share.complement()).add(to.mul(share));
      const corrected = (v as Value).mul(correction as Value);
      return [moved(runningMean as Value, m as Value), moved(runningVariance as Value, corrected), count];
    },
  };
  const operands = [running.mean, running.variance, running.batches, mean, variance, unbiased, momentum ?? 0];
  runTraced(spec, operands, { dims: [0], into: [0, 1, 2] });
}
