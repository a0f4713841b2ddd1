import { DescentError } from "@descent/backend";
import { broadcastShapes, normalizeAxis } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { checkIndex, checkIndexDType, gatherOf, indexAlong } from "./indexed.ts";
import { spread } from "./scatter.ts";
import { expand, flatten } from "./view.ts";

/** Elements of `x` along `dim` at the places in `index`: out[i, j] = x[index[i, j], j] for dim 0 (torch.gather). */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  const axis = checkIndex("gather", x, dim, index);
  return record("gather", [x], gatherOf("gather", x, axis, index), (g) => [spread(g, x.shape, axis, index)]); // biome-ignore format: one line
}

/** Whole slices of `x` along `dim`, at the places in the vector `index` (torch.index_select). */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  const axis = normalizeAxis("indexSelect", dim, x.ndim);
  const along = indexAlong("indexSelect", index, x.shape, axis);
  return record("indexSelect", [x], gatherOf("indexSelect", x, axis, along), (g) => [spread(g, x.shape, axis, along)]);
}

/** As `gather`, with `x` and `index` broadcast beside `dim` (torch.take_along_dim); without `dim`, of all elements as one axis. */
export function takeAlongDim(x: Tensor, index: Tensor, dim: number | null = null): Tensor {
  if (dim === null) return takeAlongDim(flatten(x), flatten(index), 0);
  checkIndexDType("takeAlongDim", index);
  const axis = normalizeAxis("takeAlongDim", dim, x.ndim);
  if (x.ndim !== index.ndim) {
    const facts = { axes: x.ndim, "axes of the index": index.ndim };
    throw new DescentError(
      "shape",
      "takeAlongDim",
      "the index has another number of axes",
      facts,
      "unsqueeze adds one.",
    );
  }
  const beside = (own: Tensor) => own.shape.map((extent, k) => (k === axis ? 1 : extent));
  const shape = broadcastShapes("takeAlongDim", [beside(x), beside(index)]);
  const grown = (own: Tensor) => expand(own, shape.map((extent, k) => (k === axis ? (own.shape[k] as number) : extent))); // biome-ignore format: one line
  return gather(grown(x), axis, grown(index));
}
