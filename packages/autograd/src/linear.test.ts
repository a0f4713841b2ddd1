import * as ops from "@descent/tensor";
import { type Backend, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { grad, gradcheck, gradgradcheck, noGrad, variable } from "./index.ts";

let labels: string[] = [];

/** The backend, noting every launch. */
function noting(inner: Backend): Backend {
  return {
    ...inner,
    launch(launch) {
      labels.push(launch.label);
      inner.launch(launch);
    },
  };
}

await use(noting(await backendUnderTest()));

/** What `f` launches. */
function launches(f: () => unknown): string[] {
  labels = [];
  f();
  return labels;
}

/** Small distinct numbers without ties. */
const ramp = (shape: readonly number[], step: number, dtype: "float32" | "float64" = "float64"): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, i) => ((i * step) % 101) / 50 - 1);
  return ops.reshape(tensor(data, { dtype }), shape);
};
/** As the PyTorch side of the recorded numbers below made them. */
const whole = (shape: readonly number[], step: number): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, i) => ((i * step) % 7) - 3);
  return ops.reshape(tensor(data, { dtype: "float64" }), shape);
};

/** A launch that fills or copies, whatever it is called. */
const filling = expect.any(String) as unknown as string;

/** The transpose, as a view. */
const flipped = (x: Tensor): Tensor => ops.einsum("ij->ji", x);

describe("launches", () => {
  const single = (shape: readonly number[]) => ramp(shape, 7, "float32");
  const forward = (activation: ops.Activation | null) => {
    const [x, w, b] = [single([4, 3]), single([5, 3]), single([5])].map((t) => variable(t)) as [Tensor, Tensor, Tensor];
    let y = x;
    const before = launches(() => {
      y = ops.linear(x, w, b, { activation });
    });
    const g = single([4, 5]);
    const after = launches(() => grad(y, [x, w, b], { gradOutputs: [g] }));
    return [before, after];
  };
  const backward = ["linearBackward", "linearBackward", "sum"];

  test("linear is one launch, and backward one each for input, weight and bias", () => {
    expect(forward(null)).toEqual([["linear"], backward]);
  });
  test.each(["relu", "tanh", "sigmoid", "silu", "gelu", "geluTanh"] as const)(
    "%s adds none, and one backward",
    (name) => {
      expect(forward(name)).toEqual([["linear"], [`${name}Backward`, ...backward]]);
    },
  );

  const x2 = single([2, 3]);
  const image = single([2, 4, 6, 6]);
  const weight = single([4, 4, 3, 3]);
  test.each<[string, () => unknown, string[]]>([
    ["transposed operands", () => ops.matmul(flipped(x2), flipped(single([4, 2]))), ["matmul"]],
    ["addmm", () => ops.addmm(single([3]), x2, single([3, 3]), { alpha: 2, beta: 3 }), ["addmm"]],
    ["a batch against one matrix", () => ops.matmul(single([5, 2, 3]), single([3, 4])), ["matmul"]],
    ["attention scores", () => ops.einsum("bhid,bhjd->bhij", single([2, 2, 3, 4]), single([2, 2, 3, 4])), ["einsum"]],
    ["three operands", () => ops.einsum("i,ij,j->", single([2]), x2, single([3])), ["einsum", "einsum"]],
    ["a convolution", () => ops.conv2d(image, weight, single([4]), { activation: "relu" }), ["conv"]],
    [
      "strides, dilation, groups",
      () => ops.conv2d(image, single([4, 2, 2, 2]), null, { stride: 2, dilation: 2, groups: 2 }),
      ["conv"],
    ],
    ["a padded convolution", () => ops.conv2d(image, weight, null, { padding: 1 }), [filling, filling, "conv"]],
    ["a maximum with places", () => ops.maxPool2d(image, 2, { returnIndices: true }), ["maxPool"]],
    ["a mean", () => ops.avgPool2d(image, 3, { stride: 1 }), ["avgPool"]],
  ])("%s", (_, run, expected) => {
    expect(launches(run)).toEqual(expected);
  });

  test.each<[string, (x: Tensor) => Tensor, string[]]>([
    ["maxima of windows that tile", (x) => ops.maxPool2d(x, 2), ["maxPoolBackward"]],
    ["means of windows that tile", (x) => ops.avgPool2d(x, 3), ["avgPoolBackward"]],
    ["maxima of windows that overlap", (x) => ops.maxPool2d(x, 3, { stride: 1 }), [filling, "maxPoolBackward"]],
  ])("backward: %s", (_, f, expected) => {
    const x = variable(image);
    const y = f(x);
    const g = ramp(y.shape, 3, "float32");
    expect(launches(() => grad(y, x, { gradOutputs: [g] }))).toEqual(expected);
  });
});

describe("derivatives of both orders", () => {
  const wide = { padding: 1, stride: 2, dilation: 2 };
  test.each<[string, (...x: readonly Tensor[]) => Tensor, readonly (readonly number[])[]]>([
    [
      "matmul",
      (a, b) => ops.matmul(a!, b!),
      [
        [2, 1, 2, 3],
        [2, 3, 2],
      ],
    ],
    ["matmul of a vector", (a, b) => ops.matmul(a!, b!), [[3], [2, 3, 2]]],
    ["dot", (a, b) => ops.dot(a!, b!), [[4], [4]]],
    [
      "addmm",
      (c, a, b) => ops.addmm(c!, a!, b!, { alpha: 0.5, beta: -2 }),
      [
        [1, 3],
        [2, 2],
        [2, 3],
      ],
    ],
    [
      "baddbmm",
      (c, a, b) => ops.baddbmm(c!, a!, b!, { alpha: 2 }),
      [
        [2, 1],
        [2, 2, 3],
        [2, 3, 2],
      ],
    ],
    ["addmv", (c, a, b) => ops.addmv(c!, a!, b!, { beta: 3 }), [[2], [2, 3], [3]]],
    ["outer", (a, b) => ops.outer(a!, b!), [[2], [3]]],
    [
      "tensordot",
      (a, b) => ops.tensordot(a!, b!),
      [
        [2, 2, 3],
        [2, 3, 2],
      ],
    ],
    [
      "einsum, a diagonal",
      (a, b) => ops.einsum("ii,ij->j", a!, b!),
      [
        [3, 3],
        [3, 2],
      ],
    ],
    ["einsum, a stretched axis", (a, b) => ops.einsum("ij,j->ij", a!, b!), [[2, 3], [1]]],
    ["einsum, a sum of one side", (a, b) => ops.einsum("ij,k->k", a!, b!), [[2, 3], [2]]],
    [
      "einsum, three operands",
      (a, b, c) => ops.einsum("bn,anm,bm->ba", a!, b!, c!),
      [
        [2, 2],
        [2, 2, 3],
        [2, 3],
      ],
    ],
    ["einsum, one operand", (a) => ops.einsum("iji->j", a!), [[2, 3, 2]]],
    ["linear", (x, w, b) => ops.linear(x!, w!, b!), [[2, 2, 3], [2, 3], [2]]],
    ["linear, sigmoid", (x, w, b) => ops.linear(x!, w!, b!, { activation: "sigmoid" }), [[2, 3], [2, 3], [2]]],
    ["linear, tanh", (x, w, b) => ops.linear(x!, w!, b!, { activation: "tanh" }), [[2, 3], [2, 3], [2]]],
    ["linear, gelu", (x, w, b) => ops.linear(x!, w!, b!, { activation: "gelu" }), [[2, 3], [2, 3], [2]]],
    ["linear, silu", (x, w, b) => ops.linear(x!, w!, b!, { activation: "silu" }), [[2, 3], [2, 3], [2]]],
    ["linear, relu", (x, w, b) => ops.linear(x!, w!, b!, { activation: "relu" }), [[2, 3], [2, 3], [2]]],
    ["conv1d", (x, w, b) => ops.conv1d(x!, w!, b!, wide), [[1, 2, 7], [2, 2, 2], [2]]],
    [
      "conv1d, crops",
      (x, w) => ops.conv1d(x!, w!, null, { padding: 2, stride: 2 }),
      [
        [1, 1, 4],
        [1, 1, 2],
      ],
    ],
    [
      "conv2d, groups, silu",
      (x, w, b) => ops.conv2d(x!, w!, b!, { groups: 2, padding: "same", activation: "silu" }),
      [[1, 2, 3, 2], [2, 1, 2, 2], [2]],
    ],
    [
      "conv3d",
      (x, w) => ops.conv3d(x!, w!, null, { padding: [0, 1, 0] }),
      [
        [1, 1, 2, 1, 3],
        [1, 1, 2, 2, 2],
      ],
    ],
    [
      "convTranspose1d",
      (x, w, b) => ops.convTranspose1d(x!, w!, b!, { ...wide, outputPadding: 1 }),
      [[1, 2, 3], [2, 2, 2], [2]],
    ],
    ["maxPool2d", (x) => ops.maxPool2d(x!, 2), [[2, 4, 5]]],
    ["maxPool2d, tiling", (x) => ops.maxPool2d(x!, 2), [[2, 2, 4]]],
    ["maxPool1d, overlapping", (x) => ops.maxPool1d(x!, 3, { stride: 1, padding: 1 }), [[2, 5]]],
    ["avgPool2d, tiling", (x) => ops.avgPool2d(x!, 2), [[1, 2, 4]]],
    [
      "avgPool2d, uneven",
      (x) => ops.avgPool2d(x!, 2, { padding: 1, ceilMode: true, countIncludePad: false }),
      [[1, 3, 4]],
    ],
    ["adaptiveAvgPool2d", (x) => ops.adaptiveAvgPool2d(x!, [2, null]), [[1, 3, 2]]],
  ])("%s", async (_, f, shapes) => {
    const inputs = shapes.map((shape, i) => ramp(shape, [37, 23, 51][i]!));
    await gradcheck(f, inputs);
    await gradgradcheck(f, inputs);
  });
});

test("convTranspose2d is the gradient of conv2d by its input", async () => {
  for (const options of [{}, { stride: 2, padding: 1 }, { stride: 3, dilation: 2, groups: 2 }, { padding: 2 }]) {
    const x = variable(ramp([2, 4, 9, 10], 13));
    const w = ramp([6, 4 / (options.groups ?? 1), 2, 3], 29);
    const y = ops.conv2d(x, w, null, options);
    const g = ramp(y.shape, 17);
    const [expected] = grad(y, x, { gradOutputs: [g] });
    const found = noGrad(() => ops.convTranspose2d(g, w, null, options));
    const rest = [2, 3].map((axis) => 9 + axis - 2 - found.shape[axis]!);
    const whole = ops.convTranspose2d(g, w, null, { ...options, outputPadding: rest });
    expect(await whole.tolist()).toEqual(await expected!.tolist());
  }
});

describe("as PyTorch", () => {
  test.each<[string, () => Tensor | [Tensor, Tensor], unknown, unknown?]>([
    [
      "convTranspose1d",
      () =>
        ops.convTranspose1d(whole([1, 2, 5], 3), whole([2, 3, 3], 5), whole([3], 2), {
          stride: 2,
          padding: 1,
          outputPadding: 1,
        }),
      [
        [
          [-5, -9, -5, -9, 9, -9, -5, -9, -5, 6],
          [-8, 3, -2, -13, 11, 13, -4, -3, 2, -8],
          [10, 1, 1, -10, -8, 14, 4, 3, -5, -1],
        ],
      ],
    ],
    [
      "convTranspose1d, cropped",
      () =>
        ops.convTranspose1d(whole([1, 2, 4], 3), whole([2, 1, 3], 5), whole([1], 2), {
          stride: 3,
          padding: 2,
          dilation: 2,
        }),
      [[[-3, 1, -1, -9, -14, -5, 6, 6, -2, -14]]],
    ],
    [
      "tensordot by axes",
      () =>
        ops.tensordot(whole([2, 3, 4], 3), whole([4, 3, 2], 5), [
          [1, 2],
          [1, 0],
        ]),
      [
        [3, 8],
        [11, -8],
      ],
    ],
    [
      "tensordot by count",
      () => ops.tensordot(whole([2, 3], 3), whole([3, 2], 5), 1),
      [
        [18, -3],
        [-3, -8],
      ],
    ],
    ["addmv", () => ops.addmv(whole([2], 1), whole([2, 3], 3), whole([3], 5), { beta: 2, alpha: 3 }), [21, 17]],
    [
      "maxPool3d",
      () =>
        ops.maxPool3d(whole([1, 1, 4, 4, 4], 5), 2, { returnIndices: true }).map((t) => ops.reshape(t, [-1])) as [
          Tensor,
          Tensor,
        ],
      [3, 3, 3, 3, 3, 3, 3, 3],
      [4, 18, 25, 11, 32, 39, 60, 46],
    ],
    [
      "nothing but padding and -inf",
      () =>
        ops.maxPool2d(ops.reshape(tensor(new Array(9).fill(-Infinity)), [1, 3, 3]), 2, {
          stride: 1,
          padding: 1,
          returnIndices: true,
        }),
      [new Array(4).fill(new Array(4).fill(-Infinity))],
      [
        [
          [0, 0, 1, 2],
          [0, 0, 1, 2],
          [3, 3, 4, 5],
          [6, 6, 7, 8],
        ],
      ],
    ],
    [
      "unsigned bytes",
      () => ops.matmul(tensor([[200, 100]], { dtype: "uint8" }), tensor([[2], [3]], { dtype: "uint8" })),
      [[188]],
    ],
    [
      "nothing to sum over",
      () => ops.addmm(tensor([1, 2]), ops.reshape(tensor([]), [2, 0]), ops.reshape(tensor([]), [0, 2])),
      [
        [1, 2],
        [1, 2],
      ],
    ],
  ])("%s", async (_, run, ...expected) => {
    const found = [run()].flat();
    expect(await Promise.all(found.map((t) => t.tolist()))).toEqual(expected);
  });
});

describe("errors", () => {
  const f32 = (...shape: number[]) => ramp(shape, 3, "float32");
  test.each<[() => unknown, string]>([
    [
      () => ops.matmul(f32(32, 784), f32(10, 784)),
      "matmul: inner sizes differ\n  left  [32, 784]\n  right [10, 784]\nDid you mean right.transpose(0, 1)?",
    ],
    [
      () => ops.mm(f32(3, 2), f32(3, 4)),
      "mm: inner sizes differ\n  left  [3, 2]\n  right [3, 4]\nDid you mean left.transpose(0, 1)?",
    ],
    [
      () => ops.mv(f32(2, 3), f32(2, 3)),
      "mv: vector must have 1 axis\n  vector [2, 3]\n  axes   2\nmatmul takes all of PyTorch's shapes.",
    ],
    [
      () => ops.matmul(f32(2, 2, 3), f32(3, 3, 4)),
      "matmul: extents 2 and 3 of one axis do not fit\n  left  [2, 2, 3]\n  right [3, 3, 4]",
    ],
    [
      () => ops.matmul(f32(2, 3), ramp([3, 2], 3)),
      "matmul: the operands have different dtypes\n  left  float32\n  right float64\nConvert one with to(x, dtype).",
    ],
    [
      () => ops.linear(f32(2, 3), f32(4, 2)),
      "linear: input and weight do not fit\n  input  [2, 3]\n  weight [4, 2]\nweight is [out features, in features]; the last axis of input has the in features.",
    ],
    [
      () => ops.linear(f32(2, 3), f32(4, 3), null, { activation: "rellu" as "relu" }),
      'linear: unknown activation\n  activation rellu\nDid you mean "relu"?',
    ],
    [() => ops.addmm(f32(3), f32(2, 3), f32(3, 4)), "addmm: shapes do not broadcast"],
    [
      () => ops.addmm(f32(4), f32(2, 3), f32(3, 4), { aplha: 2 } as object),
      'addmm: unknown option\n  option aplha\nDid you mean "alpha"?',
    ],
    [
      () => ops.einsum("ij->ik", f32(2, 3)),
      "einsum: the result has a label that no operand has\n  equation ij->ik\n  label    k",
    ],
    [() => ops.conv2d(f32(1, 2, 2, 2), f32(3, 2, 3, 3)), "conv2d: the window is larger than the padded input"],
    [
      () => ops.conv2d(f32(1, 1, 4, 4), f32(1, 1, 3, 3), null, { stride: 0 }),
      "conv2d: stride does not fit\n  stride [0, 0]\nIt is one integer of at least 1, or 2 of them.",
    ],
    [() => ops.conv2d(f32(4, 4), f32(3, 2, 2, 2)), "conv2d: input has the wrong number of axes\n  input [4, 4]"],
    [
      () => ops.maxPool2d(f32(1, 1, 4, 4), 2, { padding: 2 }),
      "maxPool2d: padding is too large\n  padding 2\n  window  2\nIt is at most half the window: 1.",
    ],
    [() => ops.avgPool2d(f32(1, 1, 2, 2), 3), "avgPool2d: the window is larger than the input"],
  ])("%#", (run, message) => {
    expect(run).toThrowError(message);
  });
});
