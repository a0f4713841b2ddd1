import { backendUnderTest } from "backend-under-test";
import { expect, test } from "vitest";
import { SparseTensor, sumOfGradients, tensor, use } from "./index.ts";

await use(backendUnderTest());
const places = (rows: number[][]) => tensor(rows, { dtype: "int64" });

test("one listed axis: coalesce sorts and adds up, toDense fills", () => {
  const x = new SparseTensor(places([[3, 0, 3]]), tensor([[1, 2], [10, 20], [100, 200]]), [4, 2]); // biome-ignore format: rows
  expect([x.nnz, x.sparseDims, x.dtype, x.isCoalesced]).toEqual([3, 1, "float32", false]);
  const merged = x.coalesce();
  expect(merged.indices.tolistSync()).toEqual([[0, 3]]);
  expect(merged.values.tolistSync()).toEqual([[10, 20], [101, 202]]); // biome-ignore format: rows
  for (const same of [x, merged]) expect(same.toDense().tolistSync()).toEqual([[10, 20], [0, 0], [0, 0], [101, 202]]); // biome-ignore format: rows
});

test("all axes listed, and none left", async () => {
  const x = new SparseTensor(places([[1, 0, 1], [2, 0, 2]]), tensor([1, 2, 3]), [2, 3]); // biome-ignore format: rows
  const merged = await x.coalesced();
  expect(merged.indices.tolistSync()).toEqual([[0, 1], [0, 2]]); // biome-ignore format: rows
  expect(x.toDense().tolistSync()).toEqual([[2, 0, 0], [0, 0, 4]]); // biome-ignore format: rows
  const empty = new SparseTensor(places([[], []]).reshape([2, 0]), tensor([]), [2, 3]);
  expect(empty.coalesce().toDense().tolistSync()).toEqual([[0, 0, 0], [0, 0, 0]]); // biome-ignore format: rows
});

test("sums of gradients", () => {
  const a = new SparseTensor(places([[0]]), tensor([1]), [2]);
  const b = new SparseTensor(places([[1]]), tensor([2]), [2]);
  const d = tensor([10, 20]);
  expect((sumOfGradients(a, b) as SparseTensor).toDense().tolistSync()).toEqual([1, 2]);
  expect(sumOfGradients(a, d).tolistSync()).toEqual([11, 20]);
  expect(sumOfGradients(d, b).tolistSync()).toEqual([10, 22]);
  expect(d.tolistSync()).toEqual([10, 20]);
});

test("as a gradient it is held whole, and given back whole", () => {
  const p = tensor([1, 2]);
  const g = new SparseTensor(places([[0]]), tensor([1]), [2]);
  p.grad = g;
  expect(g.blocks.map(({ holds }) => holds)).toEqual([1, 1]);
  p.grad = null;
  expect(g.blocks.map(({ holds }) => holds)).toEqual([0, 0]);
});

test("what it cannot do, it says", () => {
  const g = new SparseTensor(places([[0]]), tensor([1]), [2]);
  expect(() => g.mul(2)).toThrow(/takes no sparse tensors[\s\S]*toDense/);
  expect(() => new SparseTensor(places([[0]]), tensor([1]), [2, 2])).toThrow("SparseTensor: indices, values and shape");
});
