import { contiguousStrides, DescentError } from "@descent/backend";
import { broadcastShapes, normalizeAxis, showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { lt } from "./compare.ts";
import { fromHostLike } from "./fresh.ts";
import { indexSelect } from "./gather.ts";
import { checkIndexDType } from "./indexed.ts";
import { select, slice } from "./select.ts";
import { expand, flatten, permute, reshape, unsqueeze } from "./view.ts";
import { where } from "./where.ts";

/** Part of an axis, as `start:end:step` in Python: negative places count from the end, and what is left out means all. */
export interface Range {
  readonly start?: number;
  readonly end?: number;
  /** Default: 1. */
  readonly step?: number;
}

/**
 * One entry of an index: an integer drops its axis, a range keeps part of it, null makes a new axis, "..." stands for all axes not
 * mentioned, and an integer tensor picks elements.
 */
export type Index = number | Range | null | "..." | Tensor;

const isTensor = (entry: Index): entry is Tensor => typeof entry === "object" && entry !== null && "storage" in entry;

/**
 * The part of `x` that Python writes `x[…]`: `at(x, 0, "...", { start: 1 })` is `x[0, ..., 1:]`. A view, unless an entry is
 * a tensor; where several are, they broadcast and pick together, as in NumPy. Assign with `x.at(0).copy_(y)`.
 */
export function at(x: Tensor, ...index: Index[]): Tensor {
  const consumed = index.filter((entry) => entry !== null && entry !== "...").length;
  const facts = { shape: showShape(x.shape), entries: index.length };
  if (consumed > x.ndim || index.filter((entry) => entry === "...").length > 1) {
    const fault = consumed > x.ndim ? "there are more entries than axes" : '"..." occurs twice';
    throw new DescentError("shape", "at", fault, facts, 'At most one entry an axis, and one "...".');
  }
  let [view, axis] = [x, 0];
  const picked: [axis: number, places: Tensor][] = [];
  for (const entry of index) {
    if (entry === "...") axis += x.ndim - consumed;
    else if (entry === null) view = unsqueeze(view, axis++);
    else if (typeof entry === "number") view = select(view, axis, entry);
    else if (isTensor(entry)) picked.push([axis++, entry]);
    else if (typeof entry === "object") view = slice(view, axis++, entry.start, entry.end, entry.step);
    else {
      const hint = 'For example 0, { start: 1, end: 3 }, null, "..." or an int64 tensor.';
      throw new DescentError("argument", "at", "an entry is no index", { entry }, hint);
    }
  }
  return picked.length === 0 ? view : pick(view, picked);
}

/** Elements at places that tensors say, along one axis each. The new axes stand where the axes stood, or first if those are apart. */
function pick(x: Tensor, picked: readonly (readonly [axis: number, places: Tensor])[]): Tensor {
  const axes = picked.map(([axis]) => axis);
  const others = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const extents = axes.map((axis) => x.shape[axis] as number);
  const strides = contiguousStrides(extents);
  const shape = broadcastShapes(
    "at",
    picked.map(([, places]) => places.shape),
  );
  const flat = picked
    .map(([, places], i) => {
      if (places.dtype === "bool") {
        const hint = "Use await x.maskedSelect(mask), or where.";
        throw new DescentError("dtype", "at", "the size of what a mask selects depends on its values", {}, hint);
      }
      checkIndexDType("at", places);
      const extent = extents[i] as number;
      return mul(where(lt(places, 0), add(places, extent), places), strides[i] as number);
    })
    .reduce((a, b) => add(a, b));
  const first = permute(x, [...axes, ...others]);
  const rest = others.map((axis) => x.shape[axis] as number);
  const rows = reshape(first, [extents.reduce((a, b) => a * b, 1), ...rest]);
  const found = reshape(indexSelect(rows, 0, flatten(expand(flat, shape))), [...shape, ...rest]);
  const together = axes.every((axis, i) => axis === (axes[0] as number) + i);
  if (!together) return found;
  const before = axes[0] as number;
  const places = [...found.shape.keys()];
  const order = [
    ...places.slice(shape.length, shape.length + before),
    ...places.slice(0, shape.length),
    ...places.slice(shape.length + before),
  ];
  return permute(found, order);
}

/** All windows of `size` elements along `dim`, `step` apart, as a last axis (torch.Tensor.unfold; here it copies). */
export function unfold(x: Tensor, dim: number, size: number, step: number): Tensor {
  const axis = normalizeAxis("unfold", dim, x.ndim);
  const extent = x.shape[axis] ?? 1;
  if (!(Number.isInteger(size) && size >= 0 && size <= extent && Number.isInteger(step) && step > 0)) {
    const facts = { size, step, extent };
    throw new DescentError("argument", "unfold", "no such windows", facts, "0 ≤ size ≤ extent, and step > 0.");
  }
  const whole = x.ndim === 0 ? reshape(x, [1]) : x;
  const count = Math.floor((extent - size) / step) + 1;
  const places = Int32Array.from({ length: count * size }, (_, i) => Math.floor(i / size) * step + (i % size));
  const found = indexSelect(whole, axis, fromHostLike(x, places, [places.length], "int64", "unfold"));
  const split = reshape(found, [...whole.shape.slice(0, axis), count, size, ...whole.shape.slice(axis + 1)]);
  const order = [...split.shape.keys()].filter((k) => k !== axis + 1);
  const windows = permute(split, [...order, axis + 1]);
  return x.ndim === 0 ? reshape(windows, [size]) : windows;
}
