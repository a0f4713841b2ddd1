import { checkDType, DescentError, type DType, isFloat, sizeOf, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { checkOptions } from "../options.ts";
import { floatResultType } from "../promote.ts";
import { normalizeAxes, showShape } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";
import { div } from "./arithmetic.ts";
import { to } from "./copy.ts";
import { expand, reshape } from "./view.ts";

/** Axes to fold: one, several, or all (null or an empty list, the default). */
export type Dims = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the folded axes, with extent 1. Default: false. */
  readonly keepDim?: boolean;
}

export interface TypedReduceOptions extends ReduceOptions {
  /** Convert to this dtype first. Default: the tensor's own, and int64 for sums and products of integers. */
  readonly dtype?: DType;
}

/** The axes that `dims` means for `x`. */
export const foldedAxes = (name: string, x: Tensor, dims: Dims): number[] =>
  normalizeAxes(name, Array.isArray(dims) && dims.length === 0 ? null : dims, x.ndim);

/** A fold's results, one per row: with the folded axes of extent 1, or without them. */
export function withoutAxes(kept: Tensor, axes: readonly number[], keepDim: boolean): Tensor {
  if (keepDim) return kept;
  const shape = without(kept.shape, axes);
  return kept.tape ? reshape(kept, shape) : kept.make(kept.storage, shape, without(kept.strides, axes), kept.offset);
}

function without(ofAxes: readonly number[], axes: readonly number[]): number[] {
  const rest: number[] = [];
  for (let axis = 0; axis < ofAxes.length; axis++) if (!axes.includes(axis)) rest.push(ofAxes[axis] as number);
  return rest;
}

/** A fold's value without its axes back among the axes of `x`: how gradients of folds begin. */
export const withAxes = (folded: Tensor, x: Tensor, axes: readonly number[]): Tensor =>
  reshape(
    folded,
    x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)),
  );

/** Throws for the extremum of nothing. */
export function checkNotEmpty(name: string, x: Tensor, axes: readonly number[]): void {
  if (axes.every((axis) => x.shape[axis] !== 0)) return;
  const facts = { shape: showShape(x.shape), dims: axes };
  throw new DescentError(
    "shape",
    name,
    "nothing to reduce",
    facts,
    "Only sums, products, all and any of nothing exist.",
  );
}

/** Throws unless `x` (or the dtype it is converted to) is floating point. */
export function checkFloat(name: string, x: Tensor, dtype: DType = x.dtype): DType {
  if (isFloat(checkDType(name, dtype))) return dtype;
  throw new DescentError("dtype", name, "takes floating point", { dtype }, 'Convert first: x.to("float32").');
}

/** A fold of one tensor into one value per row, as a row operation that is derived. */
export function reduction(
  name: string,
  f: (x: Value, count: Value) => Value,
  dtype: Traced["dtype"],
  check?: (name: string, x: Tensor, axes: readonly number[]) => void,
): (x: Tensor, dims?: Dims, options?: ReduceOptions) => Tensor {
  const spec: Traced = { name, key: name, dtype, perRow: [true], body: ([x], _, count) => [f(x as Value, count)] };
  return (x, dims = null, options = {}) => {
    checkOptions(name, options, ["keepDim"]);
    const axes = foldedAxes(name, x, dims);
    check?.(name, x, axes);
    const [kept] = applyTraced(spec, [x], { dims: axes });
    return withoutAxes(kept as Tensor, axes, options.keepDim ?? false);
  };
}

/** The dtype operations that add up compute in: as the tensor, int64 for integers and bools. */
export const sumType = (x: Tensor): DType => (isFloat(x.dtype) ? x.dtype : "int64");

/** A fold whose derivative is written by hand: `back` gives it from the gradient, which has the folded axes with extent 1. */
export function typedReduction(
  name: string,
  f: (x: Value, count: Value) => Value,
  type: (x: Tensor, dtype?: DType) => DType,
  back: (g: Tensor, x: Tensor, axes: readonly number[]) => Tensor,
  saves = false,
): (x: Tensor, dims?: Dims, options?: TypedReduceOptions) => Tensor {
  return (x, dims = null, options = {}) => {
    checkOptions(name, options, ["keepDim", "dtype"]);
    const axes = foldedAxes(name, x, dims);
    const dtype = type(x, options.dtype);
    const spec: Traced = {
      name,
      key: name,
      dtype: () => dtype,
      perRow: [true],
      body: ([v], _, count) => [f(v as Value, count)],
    };
    const [kept] = runTraced(spec, [x], { dims: axes });
    const result = withoutAxes(kept as Tensor, axes, options.keepDim ?? false);
    return record(name, [x], result, (g) => [to(back(withAxes(g, x, axes), x, axes), x.dtype)], saves ? [x] : []);
  };
}

const chosenType =
  (name: string) =>
  (x: Tensor, dtype: DType = sumType(x)): DType =>
    checkDType(name, dtype);

/** Sum over `dims` (torch.sum). Sums of integers and bools are int64. The gradient is a view, not a copy. */
export const sum = typedReduction(
  "sum",
  (x) => x.sum(),
  chosenType("sum"),
  (g, x) => expand(g, x.shape),
);

/** Mean over `dims` (torch.mean) of a floating point tensor, or of one converted with `dtype`. */
export const mean = typedReduction(
  "mean",
  (x, count) => x.sum().div(count),
  (x, dtype) => checkFloat("mean", x, dtype),
  (g, x, axes) => expand(div(g, sizeOf(axes.map((axis) => x.shape[axis] as number))), x.shape),
);

/** Sums `x` over the axes along which a tensor of `shape` was broadcast to x's shape: the gradient of broadcasting. */
export function sumToSize(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis])) return x;
  const lead = x.ndim - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return reshape(axes.length === 0 ? x : sum(x, axes, { keepDim: true }), shape);
}

/** Operations that compute in the dtype of their first operand. */
export const ownType: Traced["dtype"] = ([x]) => (x as Tensor).dtype;

/** Largest element over `dims` (torch.amax); its gradient is shared among equals. Throws where there is nothing to reduce. */
export const amax = reduction("amax", (x) => x.amax(), ownType, checkNotEmpty);
/** Smallest element over `dims` (torch.amin). As `amax`. */
export const amin = reduction("amin", (x) => x.amin(), ownType, checkNotEmpty);

/** log Σ exp over `dims`, without overflow (torch.logsumexp). −∞ over nothing. */
export const logsumexp = reduction(
  "logsumexp",
  (x) => {
    const top = x.amax();
    const shift = top.abs().eq(Number.POSITIVE_INFINITY).select(0, top).detach();
    const result = x.sub(shift).exp().sum().log().add(shift);
    return result.ruled([x], (g, y, v) => [g.mul((v as Value).sub(y).exp())]);
  },
  floatResultType,
);

/** Counts of truths, as tensors that carry no gradient. */
function counted(name: string, f: (x: Value) => Value | ReturnType<Value["eq"]>, dtype: (x: Tensor) => DType) {
  const spec: Traced = { name, key: name, dtype: ownType, perRow: [true], body: ([x]) => [f(x as Value)] };
  return (x: Tensor, dims: Dims = null, options: ReduceOptions = {}): Tensor => {
    checkOptions(name, options, ["keepDim"]);
    const axes = foldedAxes(name, x, dims);
    const [kept] = runTraced({ ...spec, outputs: () => [dtype(x)] }, [x], { dims: axes });
    return withoutAxes(kept as Tensor, axes, options.keepDim ?? false);
  };
}

/** As PyTorch: bool, but uint8 for uint8. */
const truthType = (x: Tensor): DType => (x.dtype === "uint8" ? "uint8" : "bool");
const ones = (mask: ReturnType<Value["eq"]>): Value => mask.select(1, 0, "i32");

/** Whether all elements over `dims` are nonzero (torch.all); NaN counts as nonzero. True over nothing. */
export const all = counted("all", (x) => ones(x.eq(0)).sum().eq(0), truthType);
/** Whether any element over `dims` is nonzero (torch.any). False over nothing. */
export const any = counted("any", (x) => ones(x.ne(0)).sum().ne(0), truthType);
/** How many elements over `dims` are nonzero (torch.count_nonzero), as int64. */
export const countNonzero = counted(
  "countNonzero",
  (x) => ones(x.ne(0)).sum(),
  () => "int64",
);
