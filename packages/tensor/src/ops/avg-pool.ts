import { DescentError, encode, hostArray, type Value } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { floatResultType } from "../promote.ts";
import { showShape } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";
import { batched, type PerAxis } from "./conv.ts";
import { div } from "./elementwise.ts";
import { fresh, fromHostLike } from "./fresh.ts";
import { type PoolOptions, pooled, tiling, windows } from "./pool.ts";
import { product } from "./product.ts";
import { reshape } from "./view.ts";
import { discard, padded, type Sliding, spread } from "./window.ts";

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as elements, zeros. Default: true. */
  readonly countIncludePad?: boolean;
  /** Divide by this instead of the number of elements. Default: null. */
  readonly divisorOverride?: number | null;
}

const quotientSpec: Traced = {
  name: "avgPool",
  key: "avgPool",
  dtype: floatResultType,
  outputs: (computed) => [computed],
  perRow: [true],
  body: ([x, divisor]) => [(x as Value).sum().div(divisor as Value)],
};
const shareSpec: Traced = {
  name: "avgPoolBackward",
  key: "avgPoolBackward",
  overwrites: true,
  dtype: ([, g]) => (g as Tensor).dtype,
  body: ([, g, divisor]) => [(g as Value).div(divisor as Value)],
};

/** Σ over every window, divided. */
function windowMean(x: Tensor, axes: readonly Sliding[], divisor: number): Tensor {
  const source = padded(x, axes, 0, "avgPool");
  const result = folded(source, axes, divisor);
  discard(source, x);
  return record("avgPool", [x], result, (g) => [share(g, axes, divisor)]);
}

/** Folds the windows of `source`; for `[planes, …]` of the padded extent. */
function folded(source: Tensor, axes: readonly Sliding[], divisor: number): Tensor {
  const view = windows(source, axes);
  const shape = view.shape.slice(0, 1 + axes.length);
  const dims = axes.map((_, i) => 1 + axes.length + i);
  return reshape(runTraced(quotientSpec, [view, divisor], { dims })[0] as Tensor, shape);
}

/** The transpose of `windowMean`: every element gets its part of the windows it is in. One launch where windows tile the input. */
function share(g: Tensor, axes: readonly Sliding[], divisor: number): Tensor {
  const spreading = () => {
    const source = spread(g, axes, "avgPoolBackward");
    const turned = axes.map((axis) => ({ ...axis, stride: 1, before: 0, input: axis.output, output: axis.input }));
    const result = folded(source, turned, divisor);
    discard(source, g);
    return result;
  };
  const dealing = () => {
    const result = fresh(g, [g.shape[0] as number, ...axes.map(({ input }) => input)], g.dtype, "avgPoolBackward");
    const view = windows(result, axes);
    const still = g.make(g.storage, view.shape, [...g.strides, ...axes.map(() => 0)], g.offset);
    if (view.size > 0) runTraced(shareSpec, [view, still, divisor], { into: [0] });
    return result;
  };
  const result = tiling(axes) ? dealing() : spreading();
  return record("avgPoolBackward", [g], result, (h) => [windowMean(h, axes, divisor)]);
}

/** Elements of every window along one axis, as PyTorch counts them. */
const counts = ({ output, stride, before, kernel, input }: Sliding, includePad: boolean): number[] =>
  Array.from({ length: output }, (_, o) => {
    const start = o * stride - before;
    const end = Math.min(start + kernel, input + before);
    return includePad ? end - start : Math.min(end, input) - Math.max(start, 0);
  });

/** A tensor of `numbers` of the dtype of `like`. */
function numbersLike(like: Tensor, numbers: readonly number[], shape: readonly number[]): Tensor {
  const data = hostArray(like.dtype, numbers.length).map((_, i) => encode(like.dtype, numbers[i] as number));
  return fromHostLike(like, data, shape, like.dtype, "avgPool");
}

function average(
  x: Tensor,
  axes: readonly Sliding[],
  { countIncludePad = true, divisorOverride }: AvgPoolOptions,
): Tensor {
  if (divisorOverride) return windowMean(x, axes, divisorOverride);
  const perAxis = axes.map((axis) => counts(axis, countIncludePad));
  if (perAxis.every((own) => own.every((count) => count === own[0])))
    return windowMean(
      x,
      axes,
      perAxis.reduce((size, own) => size * (own[0] as number), 1),
    );
  const all = perAxis.reduce((sofar, own) => sofar.flatMap((a) => own.map((b) => a * b)), [1]);
  return div(
    windowMean(x, axes, 1),
    numbersLike(
      x,
      all,
      axes.map(({ output }) => output),
    ),
  );
}

const names = ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"];

function avgPool(rank: number) {
  const name = `avgPool${rank}d`;
  return (x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor => {
    checkOptions(name, options, names);
    if (options.divisorOverride === 0)
      throw new DescentError("argument", name, "divisorOverride is 0", { divisorOverride: 0 }, "It divides every sum.");
    return pooled(name, x, rank, kernelSize, options, (planes, axes) => [average(planes, axes, options)])[0] as Tensor;
  };
}

/**
 * The mean of every window of `[n, c, l]` or `[c, l]` (torch.nn.functional.avg_pool1d). Backward is one launch where windows tile
 * the input.
 */
export const avgPool1d = avgPool(1);
/** As `avgPool1d`, over `[n, c, h, w]` or `[c, h, w]` (torch.nn.functional.avg_pool2d). */
export const avgPool2d = avgPool(2);
/** As `avgPool1d`, over `[n, c, d, h, w]` or `[c, d, h, w]` (torch.nn.functional.avg_pool3d). */
export const avgPool3d = avgPool(3);

/** A matrix that averages `input` elements into `output` windows of nearly equal size, which may overlap by one. */
function averaging(like: Tensor, input: number, output: number): Tensor {
  const weights = Array.from({ length: output }, (_, o) => {
    const [start, end] = [Math.floor((o * input) / output), Math.ceil(((o + 1) * input) / output)];
    return Array.from({ length: input }, (_, i) => (i >= start && i < end ? 1 / (end - start) : 0));
  });
  return numbersLike(like, weights.flat(), [output, input]);
}

/** Averages one axis into `output` windows, by a product with a small matrix. */
function averageAxis(x: Tensor, axis: number, output: number): Tensor {
  const input = x.shape[axis] as number;
  if (input === output) return x;
  const labels = x.shape.map((_, i) => i);
  const out = labels.map((label) => (label === axis ? x.ndim : label));
  const matrix = { tensor: averaging(x, input, output), labels: [x.ndim, axis] };
  return product("adaptiveAvgPool", { tensor: x, labels }, matrix, out);
}

function adaptiveAvgPool(rank: number) {
  const name = `adaptiveAvgPool${rank}d`;
  return (x: Tensor, outputSize: number | readonly (number | null)[]): Tensor => {
    const sizes = typeof outputSize === "number" ? new Array<number>(rank).fill(outputSize) : outputSize;
    const extents = x.shape.slice(-rank);
    const targets = extents.map((extent, i) => sizes[i] ?? extent);
    if (sizes.length !== rank || !targets.every((size) => Number.isInteger(size) && size >= 0)) {
      const hint = `It is one size, or ${rank}, with null where the extent stays.`;
      throw new DescentError(
        "argument",
        name,
        "outputSize does not fit",
        { outputSize: showShape(sizes as number[]) },
        hint,
      );
    }
    return batched(name, x, rank, (images) => {
      const kernels = targets.map((target, i) => (extents[i] as number) / target);
      if (kernels.every((kernel) => Number.isInteger(kernel) && kernel > 0))
        return pooled(name, images, rank, kernels, {}, (planes, axes) => [average(planes, axes, {})])[0] as Tensor;
      return targets.reduce((y, target, i) => averageAxis(y, 2 + i, target), images);
    });
  };
}

/** Averages `[n, c, l]` or `[c, l]` into `outputSize` windows of nearly equal size (torch.nn.functional.adaptive_avg_pool1d). */
export const adaptiveAvgPool1d = adaptiveAvgPool(1);
/** As `adaptiveAvgPool1d`, over images; null keeps an extent (torch.nn.functional.adaptive_avg_pool2d). */
export const adaptiveAvgPool2d = adaptiveAvgPool(2);
