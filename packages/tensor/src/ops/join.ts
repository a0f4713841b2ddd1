import { DescentError, type Shape } from "@descent/backend";
import { commonRuntime } from "../plan.ts";
import { promoteTypes } from "../promote.ts";
import { normalizeAxes, normalizeAxis, sameShape, showShape } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { clone } from "./contiguous.ts";
import { copyOf, to } from "./copy.ts";
import { fresh, overwrite } from "./fresh.ts";
import { axisOf, narrow } from "./select.ts";
import { expand, flatten, reshape, unsqueeze } from "./view.ts";

const fail = (operation: string, fault: string, facts: Record<string, unknown>, hint: string): never => {
  throw new DescentError("shape", operation, fault, facts, hint);
};

/** As PyTorch: an empty vector joins anything. */
const isNothing = (x: Tensor): boolean => x.ndim === 1 && x.size === 0;

/** Tensors of one shape, but for axis `dim`, end to end along it; dtypes are promoted. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  if (!Array.isArray(tensors))
    fail("cat", "takes a list of tensors", { got: typeof tensors }, "For example cat([a, b], 0).");
  const like = (tensors.find((x) => !isNothing(x)) ?? tensors[0]) as Tensor;
  if (!like) fail("cat", "takes at least one tensor", {}, "Pass a list of tensors.");
  commonRuntime("cat", tensors);
  const axis = axisOf("cat", dim, like);
  const parts = tensors.map((x, i) => {
    if (isNothing(x)) return 0;
    const fits = x.ndim === like.ndim && x.shape.every((extent, k) => k === axis || extent === like.shape[k]);
    const facts = { dim: axis, first: showShape(like.shape), [`tensor ${i}`]: showShape(x.shape) };
    if (!fits)
      fail("cat", "the shapes differ beside the joined axis", facts, "Only the extent of axis dim may differ.");
    return x.shape[axis] as number;
  });
  const dtype = tensors.map((x) => x.dtype).reduce(promoteTypes);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((a, b) => a + b, 0));
  const total = parts.reduce((a, b) => a + b, 0);
  const result = fresh(like, like.shape.map((extent, k) => (k === axis ? total : extent)), dtype, "cat"); // biome-ignore format: one line
  tensors.forEach((x, i) => {
    if (x.size > 0) overwrite(narrow(result, axis, starts[i] as number, parts[i] as number), x);
  });
  return record("cat", tensors, result, (g, needs) =>
    tensors.map((x, i) => {
      if (!needs[i]) return null;
      const own = narrow(g, axis, starts[i] as number, parts[i] as number);
      return to(isNothing(x) ? reshape(own, [0]) : own, x.dtype);
    }),
  );
}

/** Tensors of one shape side by side along a new axis `dim`. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const [first] = tensors;
  if (!first) return fail("stack", "takes at least one tensor", {}, "Pass a list of tensors.");
  const axis = normalizeAxis("stack", dim, first.ndim + 1);
  for (const [i, x] of tensors.entries()) {
    const facts = { first: showShape(first.shape), [`tensor ${i}`]: showShape(x.shape) };
    if (!sameShape(x.shape, first.shape)) fail("stack", "the shapes differ", facts, "Use cat to join unequal ones.");
  }
  return cat(
    tensors.map((x) => unsqueeze(x, axis)),
    axis,
  );
}

/** Coordinates of a grid from the coordinates along its axes: element [i, j, …] of result k is `tensors[k]` at its own index. Views. */
export function meshgrid(tensors: readonly Tensor[], { indexing = "ij" }: { indexing?: "ij" | "xy" } = {}): Tensor[] {
  if (tensors.length === 0) fail("meshgrid", "takes at least one tensor", {}, "Pass a list of vectors.");
  if (indexing !== "ij" && indexing !== "xy")
    throw new DescentError("option", "meshgrid", "unknown indexing", { indexing }, 'Use "ij" or "xy".');
  for (const x of tensors)
    if (x.ndim > 1) fail("meshgrid", "takes vectors", { shape: showShape(x.shape) }, "flatten() gives one.");
  const swapped = indexing === "xy" && tensors.length > 1;
  const place = (k: number) => (swapped && k < 2 ? 1 - k : k);
  const shape = tensors.map((_, axis) => (tensors[place(axis)] as Tensor).size);
  return tensors.map((x, k) => {
    const along = shape.map((_, axis) => (axis === place(k) ? x.size : 1));
    return expand(reshape(x, along), shape);
  });
}

/** The elements in reverse order along `dims`. */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  const axes = normalizeAxes("flip", dims, x.ndim);
  return record("flip", [x], copyOf(reversed(x, axes)), (g) => [flip(g, axes)]);
}

/** The elements in reverse order along `axes`, as a view with negative strides; not recorded. */
export function reversed(x: Tensor, axes: readonly number[]): Tensor {
  if (x.size === 0) return x.detach();
  const ends = axes.reduce((sum, axis) => sum + ((x.shape[axis] as number) - 1) * (x.strides[axis] as number), 0);
  const strides = x.strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
  return x.make(x.storage, x.shape, strides, x.offset + ends);
}

/** The elements moved by `shifts` along `dims`, around the end; without `dims`, along all axes as if they were one. */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  dims: number | readonly number[] | null = null,
): Tensor {
  const steps = typeof shifts === "number" ? [shifts] : shifts;
  if (dims === null) {
    if (steps.length !== 1)
      fail("roll", "takes one shift where no axes are named", { shifts: steps }, "Name the axes.");
    return reshape(roll(flatten(x), steps, 0), x.shape);
  }
  const axes = (typeof dims === "number" ? [dims] : dims).map((dim) => normalizeAxis("roll", dim, x.ndim));
  if (steps.length !== axes.length)
    fail("roll", "takes one shift an axis", { shifts: steps, dims: axes }, "Pass lists of one length.");
  let result = x.detach();
  axes.forEach((axis, i) => {
    const extent = result.shape[axis] as number;
    const shift = extent === 0 ? 0 : (((steps[i] as number) % extent) + extent) % extent;
    if (shift === 0) return;
    const [head, tail] = [narrow(result, axis, 0, extent - shift), narrow(result, axis, extent - shift, shift)];
    result = cat([tail, head], axis);
  });
  if (result.storage === x.storage) result = copyOf(x);
  const back = steps.map((step) => -step);
  return record("roll", [x], result, (g) => [roll(g, back, axes)]);
}

/** Each element of axis k, `counts[k]` times in a row: a stretched view, copied. */
function repeated(x: Tensor, counts: Shape, where: "before" | "after"): Tensor {
  const pair = (a: number, b: number) => (where === "before" ? [b, a] : [a, b]);
  const apart = reshape(x, x.shape.flatMap((extent) => pair(extent, 1))); // biome-ignore format: one line
  const stretched = expand(apart, x.shape.flatMap((extent, axis) => pair(extent, counts[axis] as number))); // biome-ignore format: one line
  return reshape(clone(stretched), x.shape.map((extent, axis) => extent * (counts[axis] as number))); // biome-ignore format: one line
}

/** The whole tensor `counts[k]` times along axis k; more counts than axes add axes in front (torch.Tensor.repeat). */
export function repeat(x: Tensor, counts: Shape): Tensor {
  const facts = { counts: showShape(counts), shape: showShape(x.shape) };
  if (counts.length < x.ndim || counts.some((count) => !Number.isInteger(count) || count < 0))
    fail("repeat", "takes a count for every axis", facts, "Counts are integers of at least 0; use tile for fewer.");
  const whole = reshape(x, [...new Array<number>(counts.length - x.ndim).fill(1), ...x.shape]);
  return repeated(whole, counts, "before");
}

/** As `repeat`, where missing counts are 1 (torch.tile). */
export const tile = (x: Tensor, counts: Shape): Tensor =>
  repeat(x, [...new Array<number>(Math.max(0, x.ndim - counts.length)).fill(1), ...counts]);

/** Each element along `dim` `count` times in a row; without `dim`, of all elements as one axis. */
export function repeatInterleave(x: Tensor, count: number, dim: number | null = null): Tensor {
  if (!Number.isInteger(count) || count < 0)
    fail("repeatInterleave", "the count is no size", { count }, "Pass an integer of at least 0.");
  if (dim === null) return repeatInterleave(flatten(x), count, 0);
  const axis = axisOf("repeatInterleave", dim, x);
  return repeated(x, x.shape.map((_, k) => (k === axis ? count : 1)), "after"); // biome-ignore format: one line
}
