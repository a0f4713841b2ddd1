import type { DType, Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { checkOptions } from "../options.ts";
import { normalizeAxis } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";
import { checkFloat } from "./reduce.ts";

export interface SoftmaxOptions {
  /** Convert to this dtype first. Default: the tensor's own. */
  readonly dtype?: DType;
}

/** A row operation whose derivative follows from its result: one launch each way, and what is kept is the result. */
function fromResult(name: string, f: (x: Value) => Value, derivative: (y: Value, g: Value) => Value) {
  return (x: Tensor, dim: number, options: SoftmaxOptions = {}): Tensor => {
    checkOptions(name, options, ["dtype"]);
    const axis = normalizeAxis(name, dim, x.ndim);
    const dims = x.ndim === 0 ? [] : [axis];
    const dtype = checkFloat(name, x, options.dtype);
    const forward: Traced = { name, key: name, dtype: () => dtype, body: ([v]) => [f(v as Value)] };
    const backward: Traced = {
      name: `${name}Backward`,
      key: `${name}Backward ${x.dtype}`,
      dtype: () => dtype,
      outputs: () => [x.dtype],
      body: ([y, g]) => [derivative(y as Value, g as Value)],
    };
    const result = runTraced(forward, [x], { dims })[0] as Tensor;
    return record(name, [x], result, (g) => applyTraced(backward, [result, g], { dims }), [result]);
  };
}

/** Softmax along `dim` (torch.softmax): exp(x) / Σ exp(x). One launch, and one for its derivative. */
export const softmax = fromResult(
  "softmax",
  (x) => {
    const e = x.sub(x.amax()).exp();
    return e.div(e.sum());
  },
  (y, g) => y.mul(g.sub(y.mul(g).sum())),
);

/** Logarithm of softmax along `dim` (torch.log_softmax). One launch, and one for its derivative. */
export const logSoftmax = fromResult(
  "logSoftmax",
  (x) => {
    const shifted = x.sub(x.amax());
    return shifted.sub(shifted.exp().sum().log());
  },
  (y, g) => g.sub(y.exp().mul(g.sum())),
);
