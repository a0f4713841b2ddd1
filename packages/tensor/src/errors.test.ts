import { reference } from "@descent/backend";
import { backendUnderTest, under } from "backend-under-test";
import { describe, expect, test } from "vitest";
import * as ops from "./index.ts";
import { dispose, isDescentError, type Nested, ones, scope, steps, tensor, use, zeros } from "./index.ts";

const closed = await backendUnderTest();
const orphan = tensor([1, 2], { backend: closed });
closed.close();
await use(backendUnderTest());

const x = ones([2, 3]);
const whole = ones([2], { dtype: "int64" });
const elsewhere = ones([2, 3], { backend: reference() });
const freed = ones([2]).add(1);
dispose(freed);
const scoped = (() => {
  using _ = scope("batch");
  return x.mul(2);
})();
const stale = (() => {
  let first = x;
  for (const step of steps(3)) if (step === 0) first = x.exp();
  return first;
})();

/** What a user did wrong, and what they are told. */
const table: Readonly<Record<string, readonly (readonly [() => unknown, string])[]>> = {
  "making tensors": [
    [
      () => tensor([[1, 2], [3]]),
      "tensor: the arrays are ragged\n  axis     1\n  expected 2\n  found    1\nArrays at the same depth must have the same length.",
    ],
    [
      () => tensor([1, [2]]),
      "tensor: the arrays are ragged\n  axis  1\n  found an array of 1\nArrays at the same depth must have the same length.",
    ],
    [
      () => tensor(["1"] as unknown as Nested),
      "tensor: an element is no number\n  axis  1\n  found 1\nArrays at the same depth must have the same length.",
    ],
    [() => tensor([1], { dtype: "float" as never }), 'tensor: unknown dtype\n  dtype float\nDid you mean "float32"?'],
    [() => tensor([1], { type: "bool" } as never), 'tensor: unknown option\n  option type\nDid you mean "dtype"?'],
    [
      () => tensor([2 ** 40], { dtype: "int64" }),
      "tensor: a number does not fit the dtype\n  value 1099511627776\n  dtype int64\nint64 is held in 32 bits: see the docs of DType.",
    ],
    [
      () => zeros([2, -1]),
      "zeros: an extent is no size\n  shape  [2, -1]\n  extent -1\nExtents are integers of at least 0.",
    ],
    [
      () => ops.rand([2, Number.NaN]),
      "rand: an extent is no size\n  shape  [2, NaN]\n  extent NaN\nExtents are integers of at least 0.",
    ],
    [
      () => ops.empty([Number.POSITIVE_INFINITY]),
      "empty: an extent is no size\n  shape  [Infinity]\n  extent Infinity\nExtents are integers of at least 0.",
    ],
    [
      () => zeros(2 as never),
      "zeros: takes an array of numbers\n  got number\nFor example zeros([2, 3]) rather than zeros(2, 3).",
    ],
    [() => ops.full([2], 1, { dtpe: "bool" } as never), 'full: unknown option\n  option dtpe\nDid you mean "dtype"?'],
    [() => ops.linspace(0, 1, 2.5), "linspace: steps is no count\n  steps 2.5\nIt is an integer of at least 0."],
    [
      () => ops.arange(0, 5, -1),
      "arange: the step leads away from the end\n  start 0\n  end   5\n  step  -1\nChange its sign, or swap the bounds.",
    ],
  ],
  "shapes and axes": [
    [
      () => x.add(ones([2])),
      "add: shapes do not broadcast\n  operand 1 [2, 3]\n  operand 2 [2]\nAxis 1 has extents 3 and 2; they must be equal, or one of them 1.",
    ],
    [
      () => x.matmul(x),
      "matmul: inner sizes differ\n  left  [2, 3]\n  right [2, 3]\nDid you mean right.transpose(0, 1)?",
    ],
    [
      () => x.reshape(6 as never),
      "reshape: takes an array of numbers\n  got number\nFor example reshape([2, 3]) rather than reshape(2, 3).",
    ],
    [
      () => x.permute(1 as never),
      "permute: takes an array of numbers\n  got number\nFor example permute([2, 3]) rather than permute(2, 3).",
    ],
    [
      () => x.at(0, 0, 0),
      'at: there are more entries than axes\n  shape   [2, 3]\n  entries 3\nAt most one entry an axis, and one "...".',
    ],
    [
      () => x.at("1" as never),
      'at: an entry is no index\n  entry 1\nFor example 0, { start: 1, end: 3 }, null, "..." or an int64 tensor.',
    ],
    [
      () => x.at(x.gt(0)),
      "at: the size of what a mask selects depends on its values\nUse await x.maskedSelect(mask), or where.",
    ],
    [
      () => x.pad([4, 0], { mode: "reflect" }),
      "pad: the axis is too short\n  mode   reflect\n  extent 3\n  before 4\n  after  0\nreplicate takes any width.",
    ],
    [
      () => x.pad([1, 1], { mode: "mirror" as never }),
      'pad: unknown mode\n  mode mirror\nUse "constant", "reflect", "replicate" or "circular".',
    ],
    [
      async () => await x.item(),
      "item: takes a tensor of one element\n  shape [2, 3]\nUse data() or tolist() for more, or index first.",
    ],
    [
      () => x.add_(ones([2, 2, 3])),
      "add_: the result does not fit the tensor that is changed in place\n  target [2, 3]\n  result [2, 2, 3]\nOnly the other operands are broadcast.",
    ],
    [
      () => ones([1]).expand([3]).add_(1),
      "add_: several elements of the tensor that is changed in place share one place in memory\n  shape   [3]\n  strides [0]\nIt was made by expand: clone() it first.",
    ],
  ],
  "dtypes and operands": [
    [() => x.add([1] as never), "add: takes tensors and numbers\n  got an array\nWrap it: tensor(…)."],
    [() => x.mul(null as never), "mul: takes tensors and numbers\n  got null\nWrap it: tensor(…)."],
    [
      () => whole.add_(0.5),
      "add_: the result cannot be cast to the dtype of the tensor that is changed in place\n  result float32\n  target int64\nUse the form without underscore, or convert the tensor first.",
    ],
    [() => whole.pow(-1), 'pow: integers take no negative integer power\n  exponent -1\nUse t.to("float32") first.'],
    [
      () => x.gt(0).sub(x.gt(1)),
      "sub: bool tensors are not subtracted\nUse logicalXor, or logicalNot for a complement.",
    ],
    [() => x.bitwiseAnd(x), 'bitwiseAnd: is not defined for this dtype\n  dtype float32\nUse t.to("int32") first.'],
    [
      () => x.where(whole, 0),
      "where: the condition is not a bool tensor\n  dtype int64\nCompare first, for example x.gt(0).",
    ],
    [
      () => x.div(2, { roundingMode: "ceil" as never }),
      'div: unknown roundingMode\n  roundingMode ceil\nUse null, "trunc" or "floor".',
    ],
    [() => x.gelu({ approx: "tanh" } as never), 'gelu: unknown option\n  option approx\nDid you mean "approximate"?'],
    [() => x.isclose(x, { tol: 1 } as never), 'isclose: unknown option\n  option tol\nDid you mean "rtol"?'],
  ],
  "random numbers": [
    [() => ops.manualSeed(-1), "manualSeed: seed is no integer of at least 0\n  seed -1\nFor example: manualSeed(42)."],
    [
      () => ops.randint(3, 3, [2]),
      "randint: there are no integers between the bounds\n  low  3\n  high 3\nlow < high, both whole.",
    ],
    [() => ops.normal(0, -1, [2]), "normal: the standard deviation is negative\n  std -1\nIt is at least 0."],
    [() => x.bernoulli_(1.5), "bernoulli_: p is no probability\n  p 1.5\nIt is between 0 and 1."],
    [() => whole.normal_(), "normal_: draws floating point numbers\n  dtype int64\nUse randint for integers."],
    [() => ops.randperm(-1), "randperm: n is no count\n  n -1\nIt is an integer of at least 0."],
  ],
  "backends and memory": [
    [
      () => x.add(elsewhere),
      `add: tensors of different backends meet\n  first ${under.name}\n  other reference\nMove one with t.to(backend) first.`,
    ],
    [
      () => x.matmul(elsewhere.t()),
      `matmul: tensors of different backends meet\n  first ${under.name}\n  other reference\nMove one with t.to(backend) first.`,
    ],
    [
      () => freed.mul(2),
      "mul: uses a tensor whose memory was given back\n  made by       add\n  given back by dispose\nKeep it with keep(t), or read it in time with await t.item() or await t.data().",
    ],
    [
      () => scoped.mul(2),
      'mul: uses a tensor whose memory was given back\n  made by       mul, in scope "batch"\n  given back by the end of scope "batch"\nKeep it with keep(t), or read it in time with await t.item() or await t.data().',
    ],
    [
      () => stale.sum(),
      "sum: uses a tensor whose memory was given back\n  made by       exp\n  given back by the end of an iteration (it was made in an earlier one, not used in this one, and nobody kept it)\nKeep it with keep(t), or read it in time with await t.item() or await t.data().",
    ],
    [() => steps(-1), "steps: n is no count\n  n -1\nIt is an integer of at least 0."],
  ],
};

async function messageOf(f: () => unknown): Promise<unknown> {
  try {
    await f();
  } catch (error) {
    return isDescentError(error) ? error.message : error;
  }
  return "nothing was thrown";
}

describe.each(Object.entries(table))("%s", (_, rows) => {
  test.each(rows)("%#", async (f, message) => {
    expect(await messageOf(f)).toBe(message);
  });
});

test("a closed backend", async () => {
  for (const f of [() => orphan.add(1), () => orphan.data(), () => ones([2], { backend: closed })])
    expect(await messageOf(f)).toMatch(/closed/);
});

test("nothing is changed where an operation is refused", async () => {
  const y = tensor([1, 2, 3]);
  for (const rows of Object.values(table)) for (const [f] of rows) await messageOf(f);
  await messageOf(() => y.add_(freed));
  expect(await y.tolist()).toEqual([1, 2, 3]);
  expect(await x.tolist()).toEqual([[1, 1, 1], [1, 1, 1]]); // biome-ignore format: rows
});

test("what is refused leaves no memory behind", async () => {
  const y = tensor([1, 2, 3]);
  const before = ops.memory().buffers;
  for (const f of [() => y.add(freed), () => y.add(whole), () => y.add(elsewhere), () => y.sum(3), () => y.matmul(x)])
    expect(await messageOf(f)).not.toBe("nothing was thrown");
  expect(ops.memory().buffers).toBe(before);
});
