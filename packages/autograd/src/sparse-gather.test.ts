import { gather, SparseTensor, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { variable } from "./index.ts";

await use(backendUnderTest());

/** The gradient of a weighted sum of what is gathered. */
function gradient(shape: number[], dim: number, index: Tensor, sparseGrad: boolean): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const x = variable(tensor(Float32Array.from({ length: size }, (_, i) => i)).reshape(shape));
  const weights = tensor(Float32Array.from({ length: index.size }, (_, i) => i + 1)).reshape(index.shape);
  gather(x, dim, index, { sparseGrad }).mul(weights).sum().backward();
  return x.grad as Tensor;
}

describe("gather with sparseGrad", () => {
  test.each<[string, number[], number, number[][]]>([
    [
      "rows of a matrix",
      [4, 3],
      0,
      [
        [3, 0, 3],
        [3, 0, 1],
      ],
    ],
    [
      "columns",
      [2, 5],
      1,
      [
        [4, 4, 0],
        [1, 1, 1],
      ],
    ],
    ["fewer rows than there are", [4, 3], -1, [[2, 0]]],
  ])("%s", async (_, shape, dim, rows) => {
    // biome-ignore format: a table
    const index = tensor(rows, { dtype: "int64" });
    const sparse = gradient(shape, dim, index, true);
    expect(sparse).toBeInstanceOf(SparseTensor);
    expect((sparse as SparseTensor).nnz).toBe(index.size);
    const dense = gradient(shape, dim, index, false);
    expect(await (sparse as SparseTensor).toDense().tolist()).toEqual(await dense.tolist());
  });
  test("has no second derivative, and says so", () => {
    const x = variable([1, 2, 3]);
    const loss = gather(x, 0, tensor([2, 2], { dtype: "int64" }), { sparseGrad: true })
      .square()
      .sum();
    expect(() => loss.backward(null, { createGraph: true })).toThrow(
      "gather: a sparse gradient cannot be differentiated",
    );
  });
});
