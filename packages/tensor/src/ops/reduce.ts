import { type DType, dtypeKind, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { floatResultType } from "../promote.ts";
import { normalizeAxes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Traced } from "../traced.ts";
import { reshape } from "./view.ts";

/** Axes to fold: one, several, or all (null, the default). */
export type Dims = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the folded axes, with extent 1. Default: false. */
  readonly keepDim?: boolean;
}

/** Integers and bools are summed as int64, as in PyTorch. */
const sumType: Traced["dtype"] = ([x]) => {
  const { dtype } = x as Tensor;
  return dtypeKind(dtype) === "float" ? dtype : "int64";
};

/** A fold of one tensor into one value per row, as a row operation. */
function reduction(
  name: string,
  f: (x: Value, count: Value) => Value,
  dtype: Traced["dtype"],
  outputs?: (computed: DType) => readonly DType[],
) {
  const spec: Traced = {
    name,
    key: name,
    dtype,
    ...(outputs && { outputs }),
    perRow: [true],
    body: ([x], _trace, count) => [f(x as Value, count)],
  };
  return (x: Tensor, dims: Dims = null, { keepDim = false }: ReduceOptions = {}): Tensor => {
    const axes = normalizeAxes(name, dims, x.ndim);
    const [kept] = applyTraced(spec, [x], { dims: axes });
    return keepDim
      ? (kept as Tensor)
      : reshape(
          kept as Tensor,
          x.shape.filter((_, axis) => !axes.includes(axis)),
        );
  };
}

export const sum = reduction("sum", (x) => x.sum(), sumType);
export const mean = reduction("mean", (x, count) => x.sum().div(count), floatResultType);

/** Sums `x` over the axes along which a tensor of `shape` was broadcast to x's shape: the gradient of broadcasting. */
export function sumToSize(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis])) return x;
  const lead = x.ndim - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return reshape(axes.length === 0 ? x : sum(x, axes, { keepDim: true }), shape);
}
