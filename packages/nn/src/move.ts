import { type Backend, DescentError, type DType, type Tensor, tensor, to } from "@descent/tensor";

/** `t` in another dtype or on another backend; itself where it is so already. */
export function move(t: Tensor, target: DType | Backend): Tensor {
  if (typeof target === "string") return to(t, target);
  if (t.backend === target) return t;
  if (!t.backend.readSync) {
    const facts = { from: t.backend.name, to: target.name };
    const hint = "Make a model there, and load a state of tensors made from await t.data().";
    throw new DescentError("unsupported", "to", "this backend cannot wait for its results", facts, hint);
  }
  return tensor(t.dataSync(), { dtype: t.dtype, backend: target }).reshape(t.shape);
}
