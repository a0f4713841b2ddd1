import { DescentError } from "@descent/backend";
import { eq as equal } from "./ops/compare.ts";
import { to } from "./ops/elementwise.ts";
import { checkIndexDType, gatherOf, indexAlong } from "./ops/indexed.ts";
import { maskedFill } from "./ops/masked.ts";
import { spread } from "./ops/scatter.ts";
import { flatten, reshape, unsqueeze } from "./ops/view.ts";
import { checkOptions } from "./options.ts";
import { showShape } from "./shape.ts";
import { SparseTensor } from "./sparse.ts";
import { record } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

export interface EmbeddingOptions {
  /** The row that gets no gradient (negative: counted from the end). Default: none. */
  readonly paddingIdx?: number | null;
  /**
   * Whether the gradient of the weight is a `SparseTensor` with one entry per index: its cost is then that of the rows in use, whatever
   * the size of the table. Entries of the padding row are zeros. It has no further derivative. Default: false.
   */
  readonly sparse?: boolean;
}

function checkEmbedding(index: Tensor, weight: Tensor, options: EmbeddingOptions): void {
  checkOptions("embedding", options, ["paddingIdx", "sparse"]);
  checkIndexDType("embedding", index);
  if (weight.ndim !== 2) {
    const facts = { weight: showShape(weight.shape) };
    throw new DescentError("shape", "embedding", "the weight is no matrix", facts, "[rows, features].");
  }
  const [rows, padding] = [weight.shape[0] as number, options.paddingIdx ?? null];
  if (padding === null || (Number.isInteger(padding) && padding >= -rows && padding < rows)) return;
  const facts = { paddingIdx: padding, rows };
  throw new DescentError("argument", "embedding", "paddingIdx is no row", facts, `Rows run from 0 to ${rows - 1}.`);
}

/** Rows of the matrix `weight` at the places in `index`, of any shape (torch.nn.functional.embedding). */
export function embedding(index: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkEmbedding(index, weight, options);
  const { paddingIdx = null, sparse = false } = options;
  const [rows, features] = weight.shape as [number, number];
  const flat = flatten(index);
  const along = indexAlong("embedding", flat, weight.shape, 0);
  const padding = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
  const real = (g: Tensor): Tensor => (padding === null ? g : maskedFill(g, unsqueeze(equal(flat, padding), 1), 0));
  const back = (g: Tensor): Tensor =>
    sparse ? sparseGradient(flat, real(g), weight) : spread(real(g), weight.shape, 0, along);
  const found = record("embedding", [weight], gatherOf("embedding", weight, 0, along), (g) => [back(g)]);
  return reshape(found, [...index.shape, features]);
}

function sparseGradient(places: Tensor, values: Tensor, weight: Tensor): Tensor {
  if (values.tape?.recording) {
    const hint = "Use { sparse: false } for derivatives of derivatives.";
    throw new DescentError("unsupported", "embedding", "a sparse gradient cannot be differentiated", {}, hint);
  }
  return new SparseTensor(reshape(to(places, "int64"), [1, places.size]), values, weight.shape);
}
