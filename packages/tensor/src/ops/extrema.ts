import { DescentError, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { checkOptions } from "../options.ts";
import { normalizeAxes } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";
import { checkNotEmpty, ownType, type ReduceOptions, reduction, withAxes, withoutAxes } from "./reduce.ts";
import type { Extremes } from "./scan.ts";
import { spread } from "./scatter.ts";

/** Where the extremum stands: the first one of equals, and the first NaN if there is one. */
function place(name: string, find: (x: Value) => Value) {
  const spec: Traced = {
    name,
    key: name,
    dtype: ownType,
    outputs: () => ["int64"],
    perRow: [true],
    body: ([x]) => [find(x as Value)],
  };
  return (x: Tensor, dim: number | null = null, options: ReduceOptions = {}): Tensor => {
    checkOptions(name, options, ["keepDim"]);
    if (x.dtype === "bool")
      throw new DescentError("dtype", name, "is not defined for bool", {}, 'Convert first: x.to("uint8").');
    const axes = normalizeAxes(name, dim, x.ndim);
    checkNotEmpty(name, x, axes);
    return withoutAxes(runTraced(spec, [x], { dims: axes })[0] as Tensor, axes, options.keepDim ?? false);
  };
}

/** Where the largest element along `dim` stands, as int64 (torch.argmax); without `dim`, its place among all elements. */
export const argmax = place("argmax", (x) => x.argmax());
/** Where the smallest element along `dim` stands, as int64 (torch.argmin); without `dim`, its place among all elements. */
export const argmin = place("argmin", (x) => x.argmin());

/** The gradient of one extreme value, shared among all that equal it; NaN equals NaN here. */
function shared(g: Value, y: Value, x: Value): Value {
  const hit = x.eq(y).or(x.ne(x).and(y.ne(y)));
  return hit.select(g.div(hit.select(1, 0, x.type).sum()), 0);
}

const sharedSpec: Traced = {
  name: "shared",
  key: "shared",
  dtype: ownType,
  body: ([x, y, g]) => [shared(g as Value, y as Value, x as Value)],
};

/** The gradient `g` of `value`, an element of `x`, shared among all elements that equal it. */
export const sharedGradient = (g: Tensor, value: Tensor, x: Tensor): Tensor =>
  applyTraced(sharedSpec, [x.detach(), value.detach(), g], { dims: [...x.shape.keys()] })[0] as Tensor;

type Extremum = {
  (x: Tensor): Tensor;
  (x: Tensor, dim: number, options?: ReduceOptions): Extremes;
};

/** An extremum of all elements, or of an axis with its places: value and place come from one launch. */
function extremum(name: string, best: (x: Value) => Value, find: (x: Value) => Value): Extremum {
  const whole = reduction(name, (x) => best(x).ruled([x], (g, y) => [shared(g, y, x)]), ownType, checkNotEmpty);
  const spec: Traced = {
    name,
    key: name,
    dtype: ownType,
    outputs: (computed) => [computed, "int64"],
    perRow: [true, true],
    body: ([x]) => [best(x as Value), find(x as Value)],
  };
  function along(x: Tensor): Tensor;
  function along(x: Tensor, dim: number, options?: ReduceOptions): Extremes;
  function along(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | Extremes {
    if (dim === undefined || dim === null) return whole(x, null, options);
    checkOptions(name, options, ["keepDim"]);
    const dims = normalizeAxes(name, dim, x.ndim);
    checkNotEmpty(name, x, dims);
    const [kept, places] = runTraced(spec, [x], { dims }) as [Tensor, Tensor];
    const keepDim = options.keepDim ?? false;
    const values = withoutAxes(kept.detach(), dims, keepDim);
    record(name, [x], values, (g) => [spread(withAxes(g, x, dims), x.shape, dims[0] ?? 0, places)]);
    return { values, indices: withoutAxes(places, dims, keepDim) };
  }
  return along;
}

/** The largest element; with `dim`, those along it and where they stand (torch.max). */
export const max = extremum(
  "max",
  (x) => x.amax(),
  (x) => x.argmax(),
);
/** The smallest element; with `dim`, those along it and where they stand (torch.min). */
export const min = extremum(
  "min",
  (x) => x.amin(),
  (x) => x.argmin(),
);
