import {
  type Built,
  buildFold,
  buildGather,
  buildMap,
  buildScatter,
  Cache,
  contiguousStrides,
  type FoldProgram,
  isFloat,
  type MapProgram,
  sizeOf,
  Trace,
  type Value,
} from "@descent/backend";
import { checkOptions } from "../options.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import type { PerAxis } from "./conv.ts";
import { fresh, zerosOf } from "./fresh.ts";
import { disjoint, type PoolOptions, pooled, tiling, windows } from "./pool.ts";
import { discard, padded, type Sliding } from "./window.ts";

export interface MaxPoolOptions extends PoolOptions {
  /** Step between the elements of a window. Default: 1. */
  readonly dilation?: PerAxis;
  /** Also give, as int64, where in its image each maximum was found. Default: false. */
  readonly returnIndices?: boolean;
}

const programs = new Cache<string, Built<FoldProgram | MapProgram>>(200);
const stridesOver = (x: Tensor): number[] => contiguousStrides(x.shape.slice(1));

/** Numbers of an axis as both programs below take them, in order. */
const numbersOf = (axes: readonly Sliding[], strides: readonly number[]): number[] =>
  axes.flatMap(({ kernel, stride, dilation, before }, i) => [kernel, stride, dilation, before, strides[i] as number]);

/** The place within its image of element `places` of the current window; windows are axes 1, 2, … of the index space. */
function position(trace: Trace, places: readonly Value[]): Value {
  return places
    .map((place, i) => {
      const [, stride, dilation, before, step] = hypers(trace, i);
      const at = trace
        .index(1 + i)
        .mul(stride)
        .add(place.mul(dilation))
        .sub(before);
      // Padding is chosen only where all of the window is -inf: then the first element inside counts.
      return at.lt(0).select(at.remainder(dilation), at).mul(step);
    })
    .reduce((a, b) => a.add(b));
}

const hypers = (trace: Trace, axis: number): [Value, Value, Value, Value, Value] =>
  [0, 1, 2, 3, 4].map((k) => trace.hyper(axis * 5 + k)) as [Value, Value, Value, Value, Value];

function largestProgram(x: Tensor, rank: number): Built<FoldProgram> {
  const trace = new Trace({ kind: "fold", rank: 1 + 2 * rank, reduced: rank });
  const value = trace.input(x.dtype, "strided") as Value;
  const places: Value[] = [];
  // A fold finds the first NaN, PyTorch the last.
  let count = trace.constant(0, "i32");
  for (let axis = 0; axis < rank; axis++) count = count.mul(hypers(trace, axis)[0]).add(trace.index(1 + rank + axis));
  const lastNaN = value.ne(value).select(count, -1).amax();
  let rest = lastNaN.ge(0).select(lastNaN, value.argmax());
  for (let axis = rank - 1; axis >= 0; axis--) {
    const [kernel] = hypers(trace, axis);
    places[axis] = rest.remainder(kernel);
    rest = rest.div(kernel);
  }
  trace.output(x.dtype, "row", value.amax());
  trace.output("int64", "row", position(trace, places));
  return buildFold(trace);
}

/** The largest element of every window and its place in its image, in one launch; not recorded. */
function largest(x: Tensor, axes: readonly Sliding[]): [values: Tensor, indices: Tensor] {
  const name = "maxPool";
  const source = padded(
    x,
    axes,
    isFloat(x.dtype) ? Number.NEGATIVE_INFINITY : x.dtype === "uint8" ? 0 : -(2 ** 31),
    name,
  );
  const view = windows(source, axes);
  const shape = view.shape.slice(0, 1 + axes.length);
  const results: [Tensor, Tensor] = [fresh(x, shape, x.dtype, name), fresh(x, shape, "int64", name)];
  if (sizeOf(shape) === 0) return results;
  const { program, uniforms } = programs.get(`max ${axes.length} ${x.dtype}`, () => largestProgram(x, axes.length));
  const args = [view, ...results].map((t, i) => ({
    buffer: t.storage.buffer(name),
    offset: t.offset,
    strides: i === 0 ? t.strides : [],
  }));
  const numbers = uniforms(numbersOf(axes, stridesOver(x)));
  x.runtime.launch(x.runtime.kernel(program), args, view.shape, numbers, name);
  discard(source, x);
  return results;
}

function hitProgram(g: Tensor, rank: number): Built<MapProgram> {
  const trace = new Trace({ kind: "map", rank: 1 + 2 * rank });
  const value = trace.input(g.dtype, "strided") as Value;
  const index = trace.input("int64", "strided") as Value;
  const here = position(
    trace,
    Array.from({ length: rank }, (_, i) => trace.index(1 + rank + i)),
  );
  trace.output(g.dtype, "strided", index.eq(here).select(value, 0));
  return buildMap(trace);
}

/** `g` at the places `indices` of images like `extents`, 0 elsewhere: one launch where windows tile the image. */
function put(g: Tensor, indices: Tensor, axes: readonly Sliding[]): Tensor {
  const name = "maxPoolBackward";
  const shape = [g.shape[0] as number, ...axes.map(({ input }) => input)];
  const result = tiling(axes) ? fresh(g, shape, g.dtype, name) : zerosOf(g, shape);
  const { runtime } = g;
  const handed = (t: Tensor, strides: readonly number[]) => ({
    buffer: t.storage.buffer(name),
    offset: t.offset,
    strides,
  });
  if (g.size > 0 && disjoint(axes)) {
    const { program, uniforms } = programs.get(`put ${axes.length} ${g.dtype}`, () => hitProgram(g, axes.length));
    const view = windows(result, axes);
    const still = axes.map(() => 0);
    const args = [
      handed(g, [...g.strides, ...still]),
      handed(indices, [...indices.strides, ...still]),
      handed(view, view.strides),
    ];
    const numbers = uniforms(numbersOf(axes, stridesOver(result)));
    runtime.launch(runtime.kernel(program), args, view.shape, numbers, name);
  } else if (g.size > 0) {
    const rank = 1 + axes.length;
    const target = [result.strides[0] as number, ...axes.map(() => 0)];
    const args = [handed(result, target), handed(indices, indices.strides), handed(g, g.strides)];
    const numbers = [1, sizeOf(shape.slice(1))];
    runtime.launch(runtime.kernel(buildScatter(rank, "sum", g.dtype, "int64")), args, g.shape, numbers, name);
  }
  return record(name, [g], result, (h) => [pick(h, indices, axes)]);
}

/** The elements of `x` at the places `indices` of its images. */
function pick(x: Tensor, indices: Tensor, axes: readonly Sliding[]): Tensor {
  const name = "maxPoolPick";
  const source = x.isContiguous ? x : x.copy();
  const result = fresh(x, indices.shape, x.dtype, name);
  if (result.size > 0) {
    const rank = 1 + axes.length;
    const args = [source, indices, result].map((t, i) => ({
      buffer: t.storage.buffer(name),
      offset: t.offset,
      strides: i === 0 ? [t.strides[0] as number, ...axes.map(() => 0)] : i === 1 ? t.strides : [],
    }));
    const numbers = [1, sizeOf(x.shape.slice(1))];
    x.runtime.launch(x.runtime.kernel(buildGather(rank, x.dtype, "int64")), args, indices.shape, numbers, name);
  }
  return record(name, [x], result, (g) => [put(g, indices, axes)]);
}

const names = ["stride", "padding", "dilation", "ceilMode", "returnIndices"];

/** The two forms of a pooling: its values, or with `returnIndices` values and indices. */
interface MaxPool {
  (x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions & { readonly returnIndices?: false }): Tensor;
  (x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions & { readonly returnIndices: true }): [Tensor, Tensor];
}

function maxPool(rank: number): MaxPool {
  const name = `maxPool${rank}d`;
  return ((x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = {}) => {
    checkOptions(name, options, names);
    const results = pooled(name, x, rank, kernelSize, options, (planes, axes) => {
      const [values, indices] = largest(planes, axes);
      return [record(name, [planes], values, (g) => [put(g, indices, axes)]), indices] as const;
    });
    return options.returnIndices ? results : results[0];
  }) as MaxPool;
}

/**
 * The largest element of every window of `[n, c, l]` or `[c, l]`; NaN counts as largest, and of equal ones the first
 * (torch.nn.functional.max_pool1d). Backward is one launch where windows tile the input.
 */
export const maxPool1d = maxPool(1);
/** As `maxPool1d`, over `[n, c, h, w]` or `[c, h, w]` (torch.nn.functional.max_pool2d). */
export const maxPool2d = maxPool(2);
/** As `maxPool1d`, over `[n, c, d, h, w]` or `[c, d, h, w]` (torch.nn.functional.max_pool3d). */
export const maxPool3d = maxPool(3);
