import { DescentError } from "@descent/backend";
import { showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { batched, type PerAxis, perAxis } from "./conv.ts";
import { reshape } from "./view.ts";
import type { Sliding } from "./window.ts";

export interface PoolOptions {
  /** Step between windows. Default: the size of the window. */
  readonly stride?: PerAxis | null;
  /** Places on either side that count as nothing; at most half a window. Default: 0. */
  readonly padding?: PerAxis;
  /** Whether a last window that hangs over the end counts. Default: false. */
  readonly ceilMode?: boolean;
}

/** How the windows of a pooling slide over images of the given extents. */
function slidings(
  name: string,
  extents: readonly number[],
  kernelSize: PerAxis,
  options: PoolOptions & { readonly dilation?: PerAxis },
): Sliding[] {
  const rank = extents.length;
  const kernels = perAxis(name, "kernelSize", kernelSize, rank, 1);
  const stride = perAxis(name, "stride", options.stride ?? kernelSize, rank, 1);
  const padding = perAxis(name, "padding", options.padding ?? 0, rank, 0);
  const dilation = perAxis(name, "dilation", options.dilation ?? 1, rank, 1);
  return extents.map((input, i) => {
    const [kernel, step, before] = [kernels[i] as number, stride[i] as number, padding[i] as number];
    const reach = (kernel - 1) * (dilation[i] as number);
    if (2 * before > reach + 1) {
      const hint = `It is at most half the window: ${Math.floor((reach + 1) / 2)}.`;
      throw new DescentError("argument", name, "padding is too large", { padding: before, window: reach + 1 }, hint);
    }
    const room = (input + 2 * before - reach - 1) / step;
    let output = (options.ceilMode ? Math.ceil(room) : Math.floor(room)) + 1;
    // A window that would start beyond the input, in the padding, does not count.
    if (options.ceilMode && (output - 1) * step >= input + before) output--;
    if (output < 1) {
      const facts = { input: showShape(extents), kernelSize: kernels };
      throw new DescentError("shape", name, "the window is larger than the input", facts);
    }
    return { input, kernel, stride: step, dilation: dilation[i] as number, before, output };
  });
}

/** Pools images `[n, c, …]` or `[c, …]`: `f` sees them as `[planes, …]`, and gives results of the same kind. */
export function pooled<R extends readonly Tensor[]>(
  name: string,
  x: Tensor,
  rank: number,
  kernelSize: PerAxis,
  options: PoolOptions & { readonly dilation?: PerAxis },
  f: (planes: Tensor, axes: readonly Sliding[]) => R,
): R {
  const axes = slidings(name, x.shape.slice(-rank), kernelSize, options);
  let results: R | null = null;
  batched(name, x, rank, (images) => {
    const lead = images.shape.slice(0, 2);
    const planes = reshape(images, [lead[0]! * lead[1]!, ...images.shape.slice(2)]);
    results = f(planes, axes).map((t) => reshape(t, [...x.shape.slice(0, -rank), ...t.shape.slice(1)])) as unknown as R;
    return images;
  });
  return results as unknown as R;
}

/** The windows of `[planes, …]` as a view `[planes, …windows, …places]`; elements repeat where windows overlap. */
export function windows(x: Tensor, axes: readonly Sliding[]): Tensor {
  const along = (key: "stride" | "dilation") => axes.map((axis, i) => axis[key] * (x.strides[i + 1] as number));
  return x.make(
    x.storage,
    [x.shape[0] as number, ...axes.map(({ output }) => output), ...axes.map(({ kernel }) => kernel)],
    [x.strides[0] as number, ...along("stride"), ...along("dilation")],
    x.offset,
  );
}

/** Whether no two windows share an element, and none leaves the input. */
export const disjoint = (axes: readonly Sliding[]): boolean =>
  axes.every(({ input, kernel, stride, dilation, before, output }) => {
    const reach = (kernel - 1) * dilation + 1;
    return before === 0 && stride >= reach && (output - 1) * stride + reach <= input;
  });

/** Whether every element is in exactly one window. */
export const tiling = (axes: readonly Sliding[]): boolean =>
  disjoint(axes) &&
  axes.every(
    ({ input, kernel, stride, dilation, output }) =>
      input === output * stride && (kernel - 1) * dilation + 1 === kernel && kernel === stride,
  );
