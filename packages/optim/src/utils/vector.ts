import { DescentError, Tensor } from "@descent/tensor";
import { overwrite } from "../core/overwrite.ts";

const list = (params: Iterable<Tensor>): Tensor[] => (params instanceof Tensor ? [params] : [...params]);

/**
 * All elements of `params`, one parameter after the other, as one vector: a copy without gradient history
 * (torch.nn.utils.parameters_to_vector, which records). `of` gives another tensor or number for each, for example its gradient.
 */
export function parametersToVector(params: Iterable<Tensor>, of: (p: Tensor) => Tensor | number = (p) => p): Tensor {
  const all = list(params);
  const [first] = all;
  if (!first) throw new DescentError("argument", "parametersToVector", "there are no parameters");
  const size = all.reduce((sum, p) => sum + p.size, 0);
  const { runtime, dtype } = first;
  const vector = first.make(runtime.memory.alloc(dtype, size, "parametersToVector"), [size], [1], 0);
  let offset = 0;
  for (const p of all) {
    if (p.dtype !== dtype || p.runtime !== runtime) {
      const facts = { first: `${dtype} on ${first.backend.name}`, other: `${p.dtype} on ${p.backend.name}` };
      throw new DescentError("dtype", "parametersToVector", "the parameters differ in dtype or backend", facts);
    }
    const value = of(p);
    overwrite(partOf(vector, offset, p), typeof value === "number" ? value : value.detach());
    offset += p.size;
  }
  return vector;
}

/**
 * The other way round: copies the elements of `vector` into `params`, in order. They keep their own memory, unlike in PyTorch, where
 * they become views of the vector.
 */
export function vectorToParameters(vector: Tensor, params: Iterable<Tensor>): void {
  const all = list(params);
  const size = all.reduce((sum, p) => sum + p.size, 0);
  if (vector.ndim !== 1 || vector.size !== size) {
    const facts = { vector: vector.shape, "elements of the parameters": size };
    throw new DescentError("shape", "vectorToParameters", "the vector does not fit the parameters", facts);
  }
  const source = vector.detach();
  let offset = 0;
  for (const p of all) {
    overwrite(p.detach(), partOf(source, offset, p));
    offset += p.size;
  }
}

/** The elements of a vector from `offset` on, seen in the shape of `p`. */
export function partOf(vector: Tensor, offset: number, p: Tensor): Tensor {
  const step = vector.strides[0] as number;
  const strides = p.shape.map((_, axis) => step * p.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return vector.make(vector.storage, p.shape, strides, vector.offset + offset * step);
}
