import { grad, noGrad } from "@descent/autograd";
import { SparseTensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, needs } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import * as nn from "../index.ts";
import { message } from "../testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const index = () => tensor([[3, 0], [3, 1]], { dtype: "int64" }); // biome-ignore format: rows
const factors = () => tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // biome-ignore format: rows

test.each([{ paddingIdx: null }, { paddingIdx: 3 }, { paddingIdx: -5 }])(
  "a sparse gradient has an entry per index and is the dense one: %o",
  async ({ paddingIdx }) => {
    const [dense, sparse] = [false, true].map((sparse) => new nn.Embedding(5, 2, { sparse, paddingIdx }));
    sparse!.loadStateDict(dense!.stateDict());
    for (const table of [dense!, sparse!]) table.forward(index()).mul(factors()).sum().backward();
    const gradient = sparse!.weight.grad as SparseTensor;
    expect(gradient).toBeInstanceOf(SparseTensor);
    expect(await gradient.indices.tolist()).toEqual([[3, 0, 3, 1]]);
    expect(await gradient.toDense().tolist()).toEqual(await dense!.weight.grad!.tolist());
    sparse!.forward(index()).sum().backward();
    expect((sparse!.weight.grad as SparseTensor).nnz).toBe(8); // one pass after the other
    sparse!.zeroGrad({ setToNone: false });
    expect(sparse!.weight.grad).toBeNull();
  },
);

test("indices of other integer dtypes, and where nothing is looked up", async () => {
  const table = new nn.Embedding(5, 2, { sparse: true });
  table
    .forward(tensor([1, 1], { dtype: "int32" }))
    .sum()
    .backward();
  expect((table.weight.grad as SparseTensor).indices.dtype).toBe("int64");
  table.zeroGrad();
  table
    .forward(tensor([], { dtype: "int64" }))
    .sum()
    .backward();
  expect((table.weight.grad as SparseTensor).nnz).toBe(0);
});

test("says what it cannot do", () => {
  const table = new nn.Embedding(5, 2, { sparse: true });
  const loss = table.forward(index()).square().sum();
  expect(message(() => grad(loss, table.weight, { createGraph: true }))).toMatchInlineSnapshot(`
    "embedding: a sparse gradient cannot be differentiated
    Use { sparse: false } for derivatives of derivatives."
  `);
  expect(message(() => new nn.Embedding(5, 2, { spars: true } as never))).toMatchInlineSnapshot(`
    "Embedding: unknown option
      option spars
    Did you mean "sparse"?"
  `);
  expect(message(() => table.forward(tensor([0.5])))).toMatchInlineSnapshot(`
    "embedding: the index is not of an integer dtype
      index float32
    Use index.to("int64")."
  `);
});

test("an index without a row", needs("checksIndices"), () => {
  const table = new nn.Embedding(5, 2, { sparse: true });
  expect(message(() => noGrad(() => table.forward(tensor([5], { dtype: "int64" }))))).toMatchInlineSnapshot(`
    "embedding: index out of range
      index  5
      extent 5
    Indices run from 0 to 4."
  `);
});
