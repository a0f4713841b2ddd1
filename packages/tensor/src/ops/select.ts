import { DescentError, type Shape, sizeOf } from "@descent/backend";
import { normalizeAxis, showShape } from "../shape.ts";
import { record, tapeOf } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { fresh, overwrite, zerosOf } from "./fresh.ts";
import { cat } from "./join.ts";
import { squeeze } from "./view.ts";

/** A layout that shows some elements of a tensor, each once. */
export type Choice = (x: Tensor) => Tensor;

/** `choose(x)`, recorded: its gradient goes where the elements came from. */
export const chosen = (name: string, x: Tensor, choose: Choice): Tensor =>
  record(name, [x], choose(x), (g) => [embed(name, g, x.shape, choose)]);

/** A tensor of `shape` full of `value`, with `x` where `choose` looks: the transpose of a choice. */
export function embed(name: string, x: Tensor, shape: Shape, choose: Choice, value = 0): Tensor {
  const result = overwrite(fresh(x, shape, x.dtype, name), value);
  if (x.size > 0) overwrite(choose(result), x);
  return record(`${name}Embed`, [x], result, (g) => [chosen(name, g, choose)]);
}

const fail = (operation: string, fault: string, facts: Record<string, unknown>, hint: string): never => {
  throw new DescentError("shape", operation, fault, facts, hint);
};

const replaced = (list: readonly number[], axis: number, value: number): number[] =>
  list.map((old, i) => (i === axis ? value : old));

/** The axis of that number; a tensor without axes has none to choose along. */
export function axisOf(operation: string, dim: number, x: Tensor): number {
  if (x.ndim === 0) fail(operation, "the tensor has no axes", { dim }, "unsqueeze(0) gives it one.");
  return normalizeAxis(operation, dim, x.ndim);
}

/** Elements `start`, `start + step`, … of an axis, `length` of them. */
function stretch(name: string, x: Tensor, axis: number, start: number, length: number, step = 1): Tensor {
  if (length === x.shape[axis] && step === 1) return x;
  return chosen(name, x, (from) => {
    const stride = from.strides[axis] as number;
    const strides = replaced(from.strides, axis, stride * step);
    const shape = replaced(x.shape, axis, length);
    return from.make(from.storage, shape, strides, sizeOf(shape) === 0 ? 0 : from.offset + start * stride);
  });
}

/**
 * Every `step`-th element along `dim` from `start` up to `end`, as x[start:end:step] in Python: negative numbers count from
 * the end, and what lies outside is cut off. A view. Defaults: the whole axis.
 */
export function slice(x: Tensor, dim = 0, start = 0, end: number | null = null, step = 1): Tensor {
  const axis = axisOf("slice", dim, x);
  const extent = x.shape[axis] as number;
  if (!Number.isInteger(step) || step < 1)
    fail("slice", "the step is no positive integer", { step }, "Use flip for the reverse order.");
  const within = (at: number) => Math.min(Math.max(at < 0 ? at + extent : at, 0), extent);
  const first = within(start);
  const length = Math.max(0, Math.ceil((within(end ?? extent) - first) / step));
  return stretch("slice", x, axis, first, length, step);
}

/** `length` elements along `dim` from `start` on (negative: counted from the end). A view. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const axis = axisOf("narrow", dim, x);
  const extent = x.shape[axis] as number;
  const first = start < 0 ? start + extent : start;
  if (!Number.isInteger(first) || !Number.isInteger(length) || first < 0 || length < 0 || first + length > extent)
    fail("narrow", "the stretch leaves the axis", { start, length, extent }, "Use slice to cut off what lies outside.");
  return stretch("narrow", x, axis, first, length);
}

/** Element `index` along `dim` (negative: counted from the end), without that axis. A view. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const axis = axisOf("select", dim, x);
  const extent = x.shape[axis] as number;
  const place = index < 0 ? index + extent : index;
  if (!Number.isInteger(place) || place < 0 || place >= extent) {
    const hint = extent > 0 ? `Indices run from ${-extent} to ${extent - 1}.` : "The axis is empty.";
    throw new DescentError("argument", "select", "index out of range", { index, extent }, hint);
  }
  const dropped = (list: readonly number[]) => list.filter((_, i) => i !== axis);
  return chosen("select", x, (from) => {
    const offset = x.size === 0 ? 0 : from.offset + place * (from.strides[axis] as number);
    return from.make(from.storage, dropped(x.shape), dropped(from.strides), offset);
  });
}

/** The diagonal over two axes as a new last axis; `offset` > 0 is above the main one. A view. */
export function diagonal(x: Tensor, { offset = 0, dim1 = 0, dim2 = 1 }: DiagonalOptions = {}): Tensor {
  const [a, b] = [axisOf("diagonal", dim1, x), axisOf("diagonal", dim2, x)];
  if (a === b) fail("diagonal", "takes two different axes", { dim1, dim2 }, "Name two axes.");
  const [rows, cols] = [x.shape[a] as number, x.shape[b] as number];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, cols - offset) : Math.min(rows + offset, cols));
  const rest = (list: readonly number[]) => list.filter((_, axis) => axis !== a && axis !== b);
  return chosen("diagonal", x, (from) => {
    const [down, right] = [from.strides[a] as number, from.strides[b] as number];
    const shift = length === 0 || x.size === 0 ? 0 : offset >= 0 ? offset * right : -offset * down;
    return from.make(
      from.storage,
      [...rest(x.shape), length],
      [...rest(from.strides), down + right],
      from.offset + shift,
    );
  });
}

export interface DiagonalOptions {
  /** Which diagonal. Default: 0, the main one. */
  readonly offset?: number;
  /** The axis of rows. Default: 0. */
  readonly dim1?: number;
  /** The axis of columns. Default: 1. */
  readonly dim2?: number;
}

/** A matrix's diagonal; for a vector, the matrix that has it as its diagonal. */
export function diag(x: Tensor, offset = 0): Tensor {
  if (x.ndim === 2) return diagonal(x, { offset });
  if (x.ndim !== 1) fail("diag", "takes a vector or a matrix", { shape: showShape(x.shape) }, "Use diagonal.");
  const extent = x.size + Math.abs(offset);
  return embed("diag", x, [extent, extent], (from) => diagonal(from.detach(), { offset }));
}

/** Pieces along `dim`: of `size` elements each (the last may be smaller), or of the sizes listed. Views. */
export function split(x: Tensor, size: number | readonly number[], dim = 0): Tensor[] {
  const axis = axisOf("split", dim, x);
  const extent = x.shape[axis] as number;
  const facts = { size: typeof size === "number" ? size : showShape(size), extent };
  if (typeof size !== "number") {
    if (size.some((n) => !Number.isInteger(n) || n < 0) || size.reduce((a, b) => a + b, 0) !== extent)
      fail("split", "the sizes do not add up to the extent", facts, "List sizes that sum to the extent of the axis.");
    return pieces(x, size, axis);
  }
  if (!Number.isInteger(size) || size < 0 || (size === 0 && extent > 0))
    fail("split", "the size of a piece is no positive integer", facts, "Pass a size of at least 1.");
  const count = Math.max(1, Math.ceil(extent / (size || 1)));
  return pieces(
    x,
    Array.from({ length: count }, (_, i) => Math.min(size, extent - i * size)),
    axis,
  );
}

/** Pieces that share one gradient: the pieces' gradients side by side. */
function pieces(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  const bare = x.detach();
  let start = 0;
  const outputs = sizes.map((size) => {
    const piece = stretch("split", bare, axis, start, size).detach();
    start += size;
    return piece;
  });
  const backward = (grads: readonly (Tensor | null)[]) => [
    cat(
      outputs.map((piece, i) => grads[i] ?? zerosOf(piece)),
      axis,
    ),
  ];
  tapeOf([x])?.record({ name: "split", inputs: [x], outputs, saved: [], backward });
  return outputs;
}

/** At most `chunks` pieces of one size along `dim`, the last one possibly smaller. Views. */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  const axis = axisOf("chunk", dim, x);
  if (!Number.isInteger(chunks) || chunks < 1)
    fail("chunk", "the number of chunks is no positive integer", { chunks }, "Ask for at least one.");
  const extent = x.shape[axis] as number;
  if (extent > 0) return split(x, Math.ceil(extent / chunks), axis);
  return pieces(x, new Array<number>(chunks).fill(0), axis);
}

/** The slices along `dim`, each without that axis. Views. */
export const unbind = (x: Tensor, dim = 0): Tensor[] => {
  const axis = axisOf("unbind", dim, x);
  return x.shape[axis] === 0 ? [] : split(x, 1, axis).map((piece) => squeeze(piece, axis));
};

/** Grows axes by `value`: see `pad`. */
export function padConstant(x: Tensor, widths: readonly number[], value: number): Tensor {
  const facts = { widths: showShape(widths), shape: showShape(x.shape) };
  const pairs = x.shape.map((extent, axis) => {
    const at = 2 * (x.ndim - 1 - axis);
    const [before, after] = [widths[at] ?? 0, widths[at + 1] ?? 0];
    const kept = extent + Math.min(before, 0) + Math.min(after, 0);
    if (kept < 0 || extent + before + after < 0) fail("pad", "more is cut off than there is", facts, "Cut off less.");
    return { extent: extent + before + after, before, kept };
  });
  let inner = x;
  pairs.forEach(({ before, kept }, axis) => {
    inner = stretch("pad", inner, axis, Math.max(-before, 0), kept);
  });
  const window: Choice = (from) =>
    pairs.reduce(
      (part, { before, kept }, axis) => stretch("pad", part, axis, Math.max(before, 0), kept),
      from.detach(),
    );
  return embed(
    "pad",
    inner,
    pairs.map(({ extent }) => extent),
    window,
    value,
  );
}
