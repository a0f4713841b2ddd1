import { buildSort, DescentError } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { normalizeAxis } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced } from "../traced.ts";
import { spec } from "./define.ts";
import { argmax, sharedGradient } from "./extrema.ts";
import { fresh, overwrite } from "./fresh.ts";
import { gather } from "./gather.ts";
import { checkNotEmpty, type ReduceOptions } from "./reduce.ts";
import { alongAxis, type Extremes } from "./scan.ts";
import { spread } from "./scatter.ts";
import { narrow } from "./select.ts";
import { flatten, squeeze } from "./view.ts";

export interface SortOptions {
  /** Largest first. Default: false. */
  readonly descending?: boolean;
  /** Accepted for likeness with PyTorch: every sort is stable. */
  readonly stable?: boolean;
}

function sorted(name: string, x: Tensor, axis: number, descending: boolean): Extremes {
  const [values, indices] = alongAxis(name, x, axis, (rank) => buildSort(rank, descending, x.dtype));
  return { values: values as Tensor, indices: indices as Tensor };
}

/** Where the values at `indices` came from gets their gradient. */
function recorded(name: string, x: Tensor, axis: number, { values, indices }: Extremes): Extremes {
  record(name, [x], values, (g) => [spread(g, x.shape, axis, indices)]);
  return { values, indices };
}

/** The elements along `dim` in order, and where each came from (torch.sort). Stable; NaN counts as largest. */
export function sort(x: Tensor, dim = -1, options: SortOptions = {}): Extremes {
  checkOptions("sort", options, ["descending", "stable"]);
  const axis = normalizeAxis("sort", dim, x.ndim);
  return recorded("sort", x, axis, sorted("sort", x, axis, options.descending ?? false));
}

/** Where the elements along `dim` stand in order (torch.argsort), as int64. */
export function argsort(x: Tensor, dim = -1, options: SortOptions = {}): Tensor {
  checkOptions("argsort", options, ["descending", "stable"]);
  return sorted("argsort", x, normalizeAxis("argsort", dim, x.ndim), options.descending ?? false).indices;
}

export interface TopkOptions {
  /** The largest ones; else the smallest. Default: true. */
  readonly largest?: boolean;
  /** Accepted for likeness with PyTorch: results always come in order. */
  readonly sorted?: boolean;
}

/** The `length` elements from `start` on of `x` in order along `axis`. */
function ranked(name: string, x: Tensor, axis: number, descending: boolean, start: number, length: number): Extremes {
  const { values, indices } = sorted(name, x, axis, descending);
  const cut = { values: narrow(values, axis, start, length), indices: narrow(indices, axis, start, length) };
  return recorded(name, x, axis, cut);
}

function checkRank(name: string, k: number, least: number, extent: number): void {
  if (Number.isInteger(k) && k >= least && k <= extent) return;
  throw new DescentError("argument", name, "k is out of range", { k, extent }, `k runs from ${least} to ${extent}.`);
}

/** Both results through `f`. */
const each = ({ values, indices }: Extremes, f: (x: Tensor) => Tensor): Extremes => ({
  values: f(values),
  indices: f(indices),
});

/** The `k` largest elements along `dim` in falling order, and where they stand (torch.topk). */
export function topk(x: Tensor, k: number, dim = -1, options: TopkOptions = {}): Extremes {
  checkOptions("topk", options, ["largest", "sorted"]);
  const axis = normalizeAxis("topk", dim, x.ndim);
  checkRank("topk", k, 0, x.shape[axis] ?? 1);
  if (x.ndim === 0) return k === 0 ? topk(flatten(x), k) : each(topk(flatten(x), k, 0, options), (one) => squeeze(one));
  return ranked("topk", x, axis, options.largest ?? true, 0, k);
}

/** The `k`-th smallest element along `dim`, counted from 1, and where it stands (torch.kthvalue). */
export function kthvalue(x: Tensor, k: number, dim = -1, options: ReduceOptions = {}): Extremes {
  checkOptions("kthvalue", options, ["keepDim"]);
  const axis = normalizeAxis("kthvalue", dim, x.ndim);
  if (x.ndim === 0) return kthvalue(flatten(x), k);
  checkRank("kthvalue", k, 1, x.shape[axis] as number);
  const kept = ranked("kthvalue", x, axis, false, k - 1, 1);
  return options.keepDim ? kept : each(kept, (one) => squeeze(one, axis));
}

/** `here`, but `first` where the largest element is NaN. */
const unlessNaN = spec(
  "median",
  (largest, first, here) => largest.ne(largest).select(first, here),
  () =>
    ([largest]) =>
      (largest as Tensor).dtype,
  "median",
  { outputs: () => ["int64"] },
);

/**
 * The lower median along `dim`, and where it stands; NaN where there is one (torch.median). Without `dim`, that of all elements,
 * as a tensor without axes.
 */
export function median(x: Tensor): Tensor;
export function median(x: Tensor, dim: number, options?: ReduceOptions): Extremes;
export function median(x: Tensor, dim: number | null = null, options: ReduceOptions = {}): Tensor | Extremes {
  checkOptions("median", options, ["keepDim"]);
  if (x.dtype === "bool")
    throw new DescentError("dtype", "median", "is not defined for bool", {}, 'Convert first: x.to("uint8").');
  if (dim === null) return wholeMedian(x);
  const axis = normalizeAxis("median", dim, x.ndim);
  return x.ndim === 0 ? middle(flatten(x), 0, false) : middle(x, axis, options.keepDim ?? false);
}

function middle(x: Tensor, axis: number, keepDim: boolean): Extremes {
  checkNotEmpty("median", x, [axis]);
  const { values, indices } = sorted("median", x, axis, false);
  const extent = x.shape[axis] as number;
  const here = narrow(indices, axis, (extent - 1) >> 1, 1);
  const first = argmax(x, axis, { keepDim: true }); // the first NaN, where there is one
  const [place] = runTraced(unlessNaN, [narrow(values, axis, extent - 1, 1), first, here]) as [Tensor];
  const kept = { values: gather(x, axis, place), indices: place };
  return keepDim ? kept : each(kept, (one) => squeeze(one, axis));
}

function wholeMedian(x: Tensor): Tensor {
  if (x.size === 0) return overwrite(fresh(x, [], x.dtype, "median"), Number.NaN);
  const { values } = middle(flatten(x.detach()), 0, false);
  return record("median", [x], values, (g) => [sharedGradient(g, values, x)], [x]);
}
