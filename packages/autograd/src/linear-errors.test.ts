import * as ops from "@descent/tensor";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";

await use(await backendUnderTest());

const ramp = (shape: readonly number[], step: number, dtype: "float32" | "float64" = "float64"): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, i) => ((i * step) % 101) / 50 - 1);
  return ops.reshape(tensor(data, { dtype }), shape);
};
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
    [
      () => ops.addmm(f32(3), f32(2, 3), f32(3, 4)),
      "addmm: what is added does not broadcast to the result\n  addend [3]\n  result [2, 4]",
    ],
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
