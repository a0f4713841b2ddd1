import { contiguousStrides, type DType, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { resultType } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";

const copySpec: Traced = { name: "copy", key: "copy", dtype: resultType, body: ([x]) => [x as Value] };

/** A row-major copy, not recorded. */
export const copyOf = (x: Tensor): Tensor => runTraced(copySpec, [x], { contiguous: true })[0] as Tensor;

/** The target takes what is written; a tensor is computed in its own dtype and stored in the target's. */
export const writeSpec: Traced = {
  name: "copy_",
  key: "copy_",
  overwrites: true,
  dtype: ([target, source]) => (typeof source === "number" ? (target as Tensor) : (source as Tensor)).dtype,
  body: ([, source]) => [source as Value],
};

/** A row-major tensor like `x` with every element `value`. */
export function filled(x: Tensor, value: number): Tensor {
  const result = x.make(x.runtime.memory.alloc(x.dtype, x.size, "fill"), x.shape, contiguousStrides(x.shape), 0);
  return runTraced(writeSpec, [result, value], { into: [0] })[0] as Tensor;
}

/** `x` in another dtype; `x` itself when it has that dtype already. */
export function to(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  return applyTraced(
    { name: "to", key: `to ${dtype}`, dtype: resultType, outputs: () => [dtype], body: ([v]) => [v as Value] },
    [x],
  )[0] as Tensor;
}
