import * as ops from "@descent/tensor";
import { type Backend, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { grad, noGrad, variable } from "./index.ts";

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
