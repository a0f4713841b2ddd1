import { sizeOf } from "@descent/backend";
import type { Tensor } from "../tensor.ts";
import { fresh, overwrite } from "./fresh.ts";

/** Where an axis of a source comes to lie in an axis of extent `length`: element i at start + i · step. What falls outside is left out. */
export interface Placement {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** `x` placed along its last axes among `fill`: padding, cropping and spreading in one. A view or `x` itself where nothing is filled. */
export function placed(x: Tensor, places: readonly Placement[], fill: number, name: string): Tensor {
  const lead = x.ndim - places.length;
  const shape = [...x.shape.slice(0, lead), ...places.map(({ length }) => length)];
  const [from, to] = [[...x.shape], [...shape]]; // extents of what is copied
  let offset = 0;
  const first: number[] = [];
  let fills = false;
  places.forEach(({ start, step, length }, i) => {
    const extent = x.shape[lead + i] as number;
    const skipped = start < 0 ? Math.ceil(-start / step) : 0;
    const last = Math.min(extent - 1, Math.floor((length - 1 - start) / step));
    from[lead + i] = to[lead + i] = Math.max(0, last - skipped + 1);
    first.push(start + skipped * step);
    offset += from[lead + i] === 0 ? 0 : skipped * (x.strides[lead + i] as number);
    if (from[lead + i] !== length) fills = true;
  });
  const source = x.make(x.storage, from, x.strides, x.offset + offset);
  if (!fills) return source;
  const result = overwrite(fresh(x, shape, x.dtype, name), fill);
  const start = first.reduce((sum, at, i) => sum + at * (result.strides[lead + i] as number), 0);
  const strides = result.strides.map((stride, axis) =>
    axis < lead ? stride : stride * (places[axis - lead] as Placement).step,
  );
  const target = result.make(result.storage, to, strides, sizeOf(to) === 0 ? 0 : start);
  if (target.size > 0) overwrite(target, source);
  return result;
}

/** Gives back the memory of a temporary that only this operation has seen, unless it is a view of `x`. */
export function discard(temporary: Tensor, x: Tensor): void {
  if (temporary.storage === x.storage) return;
  temporary.runtime.memory.release(temporary.storage.block, "the operation it was a temporary of");
}

/** How windows slide along one axis of extent `input`. */
export interface Sliding {
  readonly input: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first element. */
  readonly before: number;
  /** Number of windows. */
  readonly output: number;
}

/** The padded extent that the windows of an axis cover. */
const covered = ({ output, stride, kernel, dilation }: Sliding): number =>
  output === 0 ? 0 : (output - 1) * stride + (kernel - 1) * dilation + 1;

/** `x` padded with `fill` to what the windows cover: its window `o`, place `k`, along an axis is element o · stride + k · dilation. */
export const padded = (x: Tensor, axes: readonly Sliding[], fill: number, name: string): Tensor =>
  placed(
    x,
    axes.map((axis) => ({ start: axis.before, step: 1, length: covered(axis) })),
    fill,
    name,
  );

/**
 * The gradient `g` of windows, spread out so that the windows at stride 1 around each input element hold what it took part in:
 * input element p, place k, is element p + k · dilation, and belongs to kernel place `kernel − 1 − k`.
 */
export const spread = (g: Tensor, axes: readonly Sliding[], name: string): Tensor =>
  placed(
    g,
    axes.map(({ input, kernel, stride, dilation, before }) => ({
      start: (kernel - 1) * dilation - before,
      step: stride,
      length: input + (kernel - 1) * dilation,
    })),
    0,
    name,
  );
