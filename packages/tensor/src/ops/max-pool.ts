import {
  type Built,
  buildGather,
  buildScatter,
  Cache,
  contiguousStrides,
  type FoldProgram,
  isFloat,
  type MapProgram,
  sizeOf,
} from "@descent/backend";
import { checkOptions } from "../options.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import type { PerAxis } from "./conv.ts";
import { fresh, zerosOf } from "./fresh.ts";
import { eachProgram, hitProgram, largestProgram, numbersOf } from "./max-pool-programs.ts";
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

const handed = (t: Tensor, name: string, strides: readonly number[]) => ({
  buffer: t.storage.buffer(name),
  offset: t.offset,
  strides,
});

/** Windows of at most this many places are read place by place, without a loop. */
const mostPlaces = 9;

/** As `largest`, for small windows without padding. */
function each(x: Tensor, view: Tensor, axes: readonly Sliding[], results: readonly Tensor[], name: string): void {
  const rank = axes.length;
  const strides = stridesOver(x);
  let starts = [{ from: 0, place: 0 }];
  axes.forEach(({ kernel, dilation }, i) => {
    const step = view.strides[1 + rank + i] as number;
    starts = starts.flatMap(({ from, place }) =>
      Array.from({ length: kernel }, (_, n) => ({
        from: from + n * step,
        place: place + n * dilation * (strides[i] as number),
      })),
    );
  });
  const { program, uniforms } = programs.get(`each ${rank} ${starts.length} ${x.dtype}`, () =>
    eachProgram(x.dtype, rank, starts.length),
  );
  const source = handed(view, name, view.strides.slice(0, 1 + rank));
  const args = [
    ...starts.map(({ from }) => ({ ...source, offset: source.offset + from })),
    ...results.map((t) => handed(t, name, [])),
  ];
  const numbers = uniforms([
    ...axes.map(({ stride }, i) => stride * (strides[i] as number)),
    ...starts.map(({ place }) => place),
  ]);
  x.runtime.launch(x.runtime.kernel(program), args, view.shape.slice(0, 1 + rank), numbers, name);
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
  const places = sizeOf(axes.map(({ kernel }) => kernel));
  const few = places <= mostPlaces && places + 2 <= x.runtime.backend.limits.maxBindings;
  if (few && axes.every(({ before }) => before === 0)) {
    each(x, view, axes, results, name);
    return results;
  }
  const { program, uniforms } = programs.get(`max ${axes.length} ${x.dtype}`, () =>
    largestProgram(x.dtype, axes.length),
  );
  const args = [view, ...results].map((t, i) => handed(t, name, i === 0 ? t.strides : []));
  const numbers = uniforms(numbersOf(axes, stridesOver(x)));
  x.runtime.launch(x.runtime.kernel(program), args, view.shape, numbers, name);
  discard(source, x);
  return results;
}

/** `g` at the places `indices` of images like `extents`, 0 elsewhere: one launch where windows tile the image. */
function put(g: Tensor, indices: Tensor, axes: readonly Sliding[]): Tensor {
  const name = "maxPoolBackward";
  const shape = [g.shape[0] as number, ...axes.map(({ input }) => input)];
  const result = tiling(axes) ? fresh(g, shape, g.dtype, name) : zerosOf(g, shape);
  const { runtime } = g;
  if (g.size > 0 && disjoint(axes)) {
    const { program, uniforms } = programs.get(`put ${axes.length} ${g.dtype}`, () => hitProgram(g.dtype, axes.length));
    // Windows come last, so that lines are long.
    const view = windows(result, axes);
    const rank = axes.length;
    const still = axes.map(() => 0);
    const inOrder = ([first, ...rest]: readonly number[]) => [
      first as number,
      ...rest.slice(rank),
      ...rest.slice(0, rank),
    ];
    const spread = (strides: readonly number[]) => inOrder([...strides, ...still]);
    const args = [
      handed(g, name, spread(g.strides)),
      handed(indices, name, spread(indices.strides)),
      handed(view, name, inOrder(view.strides)),
    ];
    const numbers = uniforms(numbersOf(axes, stridesOver(result)));
    runtime.launch(runtime.kernel(program), args, inOrder(view.shape), numbers, name);
  } else if (g.size > 0) {
    const rank = 1 + axes.length;
    const target = [result.strides[0] as number, ...axes.map(() => 0)];
    const args = [handed(result, name, target), handed(indices, name, indices.strides), handed(g, name, g.strides)];
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
