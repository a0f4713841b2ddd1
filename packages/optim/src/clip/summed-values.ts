import { empty, gatherRows, SparseTensor, scatterRows, type Tensor, tensor } from "@descent/tensor";

/**
 * The values of a sparse tensor with those of one place added up in one of its entries, and zeros in its others: as `coalesce`,
 * but with the same number of entries, so that nothing has to be read by the host.
 */
function mergedValues({ indices, values, shape, sparseDims, nnz }: SparseTensor): Tensor {
  const { backend } = values;
  const places = shape.slice(0, sparseDims);
  const numbers = tensor(
    Int32Array.from({ length: nnz }, (_, k) => k),
    { dtype: "int64", backend },
  );
  // Every entry writes its number to its place; whichever stays there stands for the place.
  const byPlace = new SparseTensor(indices, numbers, places);
  const standing = scatterRows(empty(places, { dtype: "int64", backend }), byPlace, numbers);
  const slots = gatherRows(standing, byPlace);
  return new SparseTensor(slots.reshape([1, nnz]), values.detach(), values.shape).toDense();
}

/** The values of a sparse tensor, each place standing once with all it adds up to. */
export const summedValues = (x: SparseTensor): Tensor => (x.isCoalesced ? x.values.detach() : mergedValues(x));
