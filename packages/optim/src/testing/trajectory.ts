import { type Backend, type DType, SparseTensor, Tensor, tensor } from "@descent/tensor";
import { baseOf, gradientAt, type RawTensor, sparseGradientValues, type Trajectory } from "torch-fixtures";
import * as optim from "../index.ts";

type AnyOptimizer = optim.SingleOptimizer<Record<string, unknown>>;
/** An optimizer by its name. */
export const make = (name: string, params: unknown, options: object): AnyOptimizer =>
  new (optim as unknown as Record<string, new (p: unknown, o: object) => AnyOptimizer>)[name]!(params, options);

/** A recorded parameter, as the view that it was. */
export function parameter(raw: RawTensor, backend: Backend): Tensor {
  const base = baseOf(raw);
  const dtype = raw.dtype as DType;
  const whole = tensor(base.data as Float64Array, { dtype, backend });
  const { layout, shape } = raw;
  let strides = [...shape.keys()].map((axis) => base.shape.slice(axis + 1).reduce((a, b) => a * Math.max(1, b), 1));
  let offset = 0;
  if (layout && "permute" in layout) strides = layout.permute.map((axis) => strides[axis]!);
  if (layout && "slice" in layout) {
    const { dim, start, step } = layout.slice;
    offset = start * strides[dim]!;
    strides = strides.map((s, axis) => (axis === dim ? s * step : s));
  }
  const p = new Tensor(whole.runtime, whole.storage, shape, strides, offset);
  p.runtime.memory.hold(whole.storage.block);
  return p;
}

/** What a trajectory prescribes as gradient of parameter `i`, which is `p`. */
export function gradient(t: Trajectory, p: Tensor, i: number, step: number): Tensor | null {
  if (t.sparse) {
    const { indices, values } = sparseGradientValues(i, step, p.shape, t.sparseDims![i]!);
    const entries = indices[0]!.length;
    const data = tensor(values, { dtype: p.dtype, backend: p.backend });
    const at = tensor(Int32Array.from(indices.flat()), { dtype: "int64", backend: p.backend });
    const shape = [entries, ...p.shape.slice(indices.length)];
    return new SparseTensor(at.reshape([indices.length, entries]), data.reshape(shape), p.shape);
  }
  const values = gradientAt(t, i, step);
  return values && tensor(values, { dtype: p.dtype, backend: p.backend }).reshape(p.shape);
}
