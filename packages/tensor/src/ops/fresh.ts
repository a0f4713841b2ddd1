import { contiguousStrides, type DType, type HostArray, type Shape, sizeOf } from "@descent/backend";
import type { Tensor } from "../tensor.ts";
import { runTraced } from "../traced.ts";
import { writeSpec } from "./copy.ts";

/** A row-major tensor on the backend of `like`; its contents are unspecified. */
export const fresh = (like: Tensor, shape: Shape, dtype: DType, site: string): Tensor =>
  like.make(like.runtime.memory.alloc(dtype, sizeOf(shape), site), shape, contiguousStrides(shape), 0);

/** A row-major tensor of elements as the host stores them, on the backend of `like`. */
export function fromHostLike(like: Tensor, data: HostArray, shape: Shape, dtype: DType, site: string): Tensor {
  const result = fresh(like, shape, dtype, site);
  if (data.length > 0) result.runtime.write(result.storage, data, site);
  return result;
}

/** Indices as a tensor of one axis on the backend of `like`. */
export const indicesLike = (like: Tensor, indices: readonly number[], site: string): Tensor =>
  fromHostLike(like, Int32Array.from(indices), [indices.length], "int64", site);

/** Writes `value`, broadcast, over every element of `target`; records nothing. Returns `target`. */
export const overwrite = (target: Tensor, value: Tensor | number): Tensor =>
  runTraced(writeSpec, [target, value], { into: [0] })[0] as Tensor;

/** A row-major tensor of zeros like `x`, with another shape or dtype where given. */
export const zerosOf = (x: Tensor, shape: Shape = x.shape, dtype: DType = x.dtype): Tensor =>
  overwrite(fresh(x, shape, dtype, "zeros"), 0);
