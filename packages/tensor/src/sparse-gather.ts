import { DescentError } from "@descent/backend";
import { to } from "./ops/copy.ts";
import { indicesLike } from "./ops/fresh.ts";
import { gather as gatherDense } from "./ops/gather.ts";
import { checkIndex, gatherOf } from "./ops/indexed.ts";
import { cat } from "./ops/join.ts";
import { reshape } from "./ops/view.ts";
import { checkOptions } from "./options.ts";
import { SparseTensor } from "./sparse.ts";
import { record } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

export interface GatherOptions {
  /** Whether the gradient of `x` is a `SparseTensor` with one entry per index; it has no further derivative. Default: false. */
  readonly sparseGrad?: boolean;
}

/** Elements of `x` along `dim` at the places in `index`: out[i, j] = x[index[i, j], j] for dim 0 (torch.gather). */
export function gather(x: Tensor, dim: number, index: Tensor, options: GatherOptions = {}): Tensor {
  checkOptions("gather", options, ["sparseGrad"]);
  if (!options.sparseGrad || x.ndim === 0) return gatherDense(x, dim, index);
  const axis = checkIndex("gather", x, dim, index);
  return record("gather", [x], gatherOf("gather", x, axis, index), (g) => {
    if (g.tape?.recording) {
      const hint = "Use { sparseGrad: false } for derivatives of derivatives.";
      throw new DescentError("unsupported", "gather", "a sparse gradient cannot be differentiated", {}, hint);
    }
    const places = reshape(to(index, "int64"), [1, index.size]);
    const rows = x.shape.map((_, k) => (k === axis ? places : reshape(coordinates(g, index, k), [1, index.size])));
    return [new SparseTensor(cat(rows, 0), reshape(g, [index.size]), x.shape)];
  });
}

/** Where each element of `index` stands along axis `axis`. */
function coordinates(like: Tensor, { shape, size }: Tensor, axis: number): Tensor {
  const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const all = Array.from({ length: size }, (_, i) => Math.floor(i / step) % (shape[axis] as number));
  return indicesLike(like, all, "gather");
}
