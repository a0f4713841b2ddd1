import { reference } from "@descent/backend";
import { backendUnderTest, needs, under } from "backend-under-test";
import { ulpDiff } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import * as ops from "../index.ts";
import { type Tensor, tensor, use } from "../index.ts";

await use(backendUnderTest());

const ramp = (...shape: number[]): Tensor =>
  tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)).reshape(shape);
const whole = (at: ops.Nested): Tensor => tensor(at, { dtype: "int64" });
const elsewhere = tensor([1, 2, 3], { backend: reference() });

describe("views share their memory", () => {
  const x = ramp(2, 3, 4);
  const views: readonly (readonly [string, () => Tensor | Tensor[]])[] = [
    ["reshape", () => x.reshape([6, -1])],
    ["view", () => x.permute([1, 0, 2]).view([3, 2, 2, 2])],
    ["flatten", () => x.flatten(1)],
    ["unflatten", () => x.unflatten(2, [2, -1])],
    ["permute", () => x.permute([2, 0, 1])],
    ["transpose", () => x.transpose(0, -1)],
    ["movedim", () => x.movedim([0, 1], [1, 2])],
    ["squeeze", () => x.unsqueeze(0).squeeze()],
    ["unsqueeze", () => x.transpose(0, 1).unsqueeze(-1)],
    ["expand", () => x.expand([5, -1, -1, -1])],
    ["slice", () => x.slice(2, -3, 99, 2)],
    ["narrow", () => x.narrow(1, -2, 2)],
    ["select", () => x.select(0, -1)],
    ["diagonal", () => x.diagonal({ dim1: 1, dim2: 2, offset: -1 })],
    ["split", () => x.split(2, 2)],
    ["chunk", () => x.chunk(2, 1)],
    ["unbind", () => x.unbind(1)],
    ["meshgrid", () => ops.meshgrid([x.select(0, 0).select(0, 0)])],
  ];
  test.each(views)("%s", (_, view) => {
    for (const y of [view()].flat()) expect(y.storage).toBe(x.storage);
  });

  test("others copy", () => {
    for (const y of [
      x.clone(),
      x.flip(0),
      x.roll(1, 0),
      x.repeat([1, 1, 1]),
      x.tril(),
      x.permute([2, 1, 0]).reshape([24]),
    ])
      expect(y.storage).not.toBe(x.storage);
    expect(x.contiguous()).toBe(x);
    expect(x.permute([2, 1, 0]).contiguous().strides).toEqual([6, 2, 1]);
  });
});

test("a large float32 sum is accurate", () => {
  const x = tensor(Float32Array.from({ length: 1_000_001 }, () => 0.1));
  // A GPU adds in float32 alone, in blocks: each of the few levels may be off by a rounding, half a unit.
  const sum = Math.fround(1_000_001 * Math.fround(0.1));
  expect(ulpDiff(x.sum().itemSync(), sum, "float32")).toBeLessThanOrEqual(under.name === "webgpu" ? 2 : 0);
  expect(x.mean().itemSync()).toBeCloseTo(0.1, under.name === "webgpu" ? 7 : 8);
  expect(x.var().itemSync()).toBeLessThan(1e-14);
});

test("results whose size the data decide are read by waiting, or at once", async () => {
  const x = tensor([[3, 0], [1, 3]]); // biome-ignore format: a matrix
  expect((await x.nonzero()).tolistSync()).toEqual([[0, 0], [1, 0], [1, 1]]); // biome-ignore format: rows
  expect((await x.maskedSelect(x.gt(0))).tolistSync()).toEqual([3, 1, 3]);
  const { values, inverse, counts } = await x.unique({ returnInverse: true, returnCounts: true });
  expect([values, inverse, counts].map((t) => t?.tolistSync())).toEqual([[0, 1, 3], [[2, 0], [1, 2]], [1, 1, 2]]); // biome-ignore format: pairs
  expect(x.uniqueSync().inverse).toBeNull();
});

test("functions and methods are the same", () => {
  const x = ramp(2, 3);
  expect(ops.var(x, 1).tolistSync()).toEqual(x.var(1).tolistSync());
  expect(x.max(1).indices.tolistSync()).toEqual([2, 2]);
  expect(x.kthvalue(2).values.tolistSync()).toEqual([1, 4]);
  expect(x.topk(2).values.tolistSync()).toEqual([[2, 1], [5, 4]]); // biome-ignore format: rows
});

const x = ramp(2, 3);
const errors: readonly (readonly [() => unknown, string])[] = [
  [() => x.sum(2), "sum: no such axis\n  axis 2\n  axes 2\nAxes run from -2 to 1."],
  [() => x.sum([0, -2]), "sum: an axis is named twice\n  axes [0, 0]\nName every axis once."],
  [() => x.sum(0, { keepdim: true } as never), 'sum: unknown option\n  option keepdim\nDid you mean "keepDim"?'],
  [() => x.sum(0, { dtype: "float23" as never }), 'sum: unknown dtype\n  dtype float23\nDid you mean "float32"?'],
  [() => whole([1]).mean(), 'mean: takes floating point\n  dtype int64\nConvert first: x.to("float32").'],
  [() => whole([1]).softmax(0), 'softmax: takes floating point\n  dtype int64\nConvert first: x.to("float32").'],
  [() => x.softmax(undefined as never), "softmax: no such axis\n  axis undefined\n  axes 2\nAxes run from -2 to 1."],
  [
    () => ramp(0, 3).amax(0),
    "amax: nothing to reduce\n  shape [0, 3]\n  dims  [0]\nOnly sums, products, all and any of nothing exist.",
  ],
  [() => x.gt(1).argmax(), 'argmax: is not defined for bool\nConvert first: x.to("uint8").'],
  [() => x.norm("fro" as never), "norm: the order is no number\n  p fro\nUse Infinity for the largest element."],
  [
    () => x.reshape([4, -1]),
    "reshape: the number of elements does not fit\n  from 6 elements\n  to   [4, -1]\nExactly one extent may be -1, and is then inferred.",
  ],
  [
    () => x.t().view([6]),
    "view: no layout shows these elements in that shape\n  shape   [3, 2]\n  strides [1, 3]\n  to      [6]\nUse reshape.",
  ],
  [
    () => x.permute([0, 0]),
    "permute: not an order of the axes\n  dims [0, 0]\n  axes 2\nName every axis exactly once.",
  ],
  [
    () => x.expand([2, 4]),
    "expand: the shape cannot be stretched so\n  from [2, 3]\n  to   [2, 4]\nOnly extents of 1 stretch.",
  ],
  [() => x.slice(0, 0, 2, 0), "slice: the step is no positive integer\n  step 0\nUse flip for the reverse order."],
  [() => x.select(1, 3), "select: index out of range\n  index  3\n  extent 3\nIndices run from -3 to 2."],
  [() => tensor(1).select(0, 0), "select: the tensor has no axes\n  dim 0\nunsqueeze(0) gives it one."],
  [
    () => x.split([1, 3], 1),
    "split: the sizes do not add up to the extent\n  size   [1, 3]\n  extent 3\nList sizes that sum to the extent of the axis.",
  ],
  [
    () => x.pad([1]),
    "pad: the widths are no pairs, one for each of the last axes\n  widths [1]\n  shape  [2, 3]\nTwo integers pad the last axis.",
  ],
  [() => ramp(3).tril(), "tril: takes at least two axes\n  shape [3]\nThe last two are rows and columns."],
  [
    () => ops.cat([x, ramp(2, 2)]),
    "cat: the shapes differ beside the joined axis\n  dim      0\n  first    [2, 3]\n  tensor 1 [2, 2]\nOnly the extent of axis dim may differ.",
  ],
  [() => ops.cat([]), "cat: takes at least one tensor\nPass a list of tensors."],
  [() => ops.cat(x as never), "cat: takes a list of tensors\n  got object\nFor example cat([a, b], 0)."],
  [
    () => ops.cat([tensor([1]), elsewhere]),
    `cat: tensors of different backends meet\n  first ${under.name}\n  other reference\nMove one with t.to(backend) first.`,
  ],
  [
    () => ops.stack([x, ramp(3)]),
    "stack: the shapes differ\n  first    [2, 3]\n  tensor 1 [3]\nUse cat to join unequal ones.",
  ],
  [() => x.gather(0, x), 'gather: the index is not of an integer dtype\n  index float32\nUse index.to("int64").'],
  [
    () => x.gather(0, whole([[0, 0, 0, 0]])),
    "gather: the index does not fit the tensor\n  dim    0\n  tensor [2, 3]\n  index  [1, 4]\nIt has as many axes, none longer but axis dim.",
  ],
  [
    () => x.indexSelect(1, whole([[1]])),
    "indexSelect: the index is not a vector\n  index [1, 1]\nUse gather for an index of more axes.",
  ],
  [
    () => x.scatter(0, whole([[0]]), whole([[1]])),
    'scatter: the source has another dtype\n  tensor float32\n  source int64\nUse source.to("float32").',
  ],
  [
    () => x.scatterAdd(0, whole([[0, 1]]), ramp(1, 1)),
    "scatterAdd: the source does not fit the index\n  source [1, 1]\n  needed [1, 2]\nOne source element an index.",
  ],
  [
    () => x.maskedFill(whole([1, 0, 1]), 0),
    "maskedFill: the mask is not a bool tensor\n  mask int64\nCompare first, for example x.gt(0).",
  ],
  [() => ops.embedding(whole([0]), ramp(3), {}), "embedding: the weight is no matrix\n  weight [3]\n[rows, features]."],
  [() => x.topk(4), "topk: k is out of range\n  k      4\n  extent 3\nk runs from 0 to 3."],
  [() => x.kthvalue(0), "kthvalue: k is out of range\n  k      0\n  extent 3\nk runs from 1 to 3."],
];
const indexErrors: typeof errors = [
  [() => x.gather(0, whole([[0, 2]])), "gather: index out of range\n  index  2\n  extent 2\nIndices run from 0 to 1."],
  [
    () => x.indexSelect(1, whole([-1])),
    "indexSelect: index out of range\n  index  -1\n  extent 3\nIndices run from 0 to 2.",
  ],
  [() => ops.oneHot(whole([3]), 3), "oneHot: index out of range\n  index  3\n  extent 3\nIndices run from 0 to 2."],
];
describe("bad input is refused with the reason", () => {
  const refused = (f: () => unknown, message: string) => {
    let found: unknown;
    try {
      f();
    } catch (error) {
      found = error;
    }
    expect(ops.isDescentError(found) ? found.message : found).toBe(message);
  };
  test.each(errors)("%#", refused);
  describe("indices", needs("checksIndices"), () => {
    test.each(indexErrors)("%#", refused);
  });
});
