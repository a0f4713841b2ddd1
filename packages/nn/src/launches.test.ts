import { variable } from "@descent/autograd";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import * as nn from "./index.ts";
import { launches } from "./testing/launches.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const numbers = (...shape: number[]) =>
  tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1))).reshape(shape);
const classes = () => tensor([0, 2, 1], { dtype: "int64" });

/** Launches of a forward and of a backward pass; the gradient that comes from behind is there already. */
function counts(f: (x: Tensor) => Tensor, ...shape: number[]): [forward: string[], backward: string[]] {
  const x = variable(numbers(...shape));
  let y = x;
  const forward = launches(() => {
    y = f(x);
  });
  const g = y.onesLike();
  return [forward, launches(() => y.backward(g))];
}

const linear = (...then: nn.Module[]) => {
  const model = new nn.Sequential(new nn.Linear(5, 4), ...then);
  return (x: Tensor) => model.forward(x);
};
const table: [string, () => (x: Tensor) => Tensor, number[], forward: number, backward: number][] = [
  ["linear, bias and ReLU", () => linear(new nn.ReLU()), [3, 5], 1, 4],
  ["linear, bias and GELU", () => linear(new nn.GELU()), [3, 5], 1, 4],
  ["linear and bias", () => linear(), [3, 5], 1, 3],
  ["softmax", () => (x) => new nn.Softmax(1).forward(x), [3, 5], 1, 1],
  ["logSoftmax", () => (x) => new nn.LogSoftmax(1).forward(x), [3, 5], 1, 1],
  ["crossEntropy", () => (x) => nn.crossEntropy(x, classes()), [3, 5], 2, 1],
  [
    "crossEntropy, all options",
    () => {
      const weight = numbers(5);
      return (x) => nn.crossEntropy(x, classes(), { weight, labelSmoothing: 0.1 });
    },
    [3, 5],
    2,
    1,
  ],
  ["crossEntropy of probabilities", () => (x) => nn.crossEntropy(x, numbers(3, 5)), [3, 5], 2, 1],
  ["nllLoss", () => (x) => nn.nllLoss(x, classes()), [3, 5], 2, 1],
  ["mseLoss", () => (x) => nn.mseLoss(x, numbers(3, 5)), [3, 5], 1, 1],
  ["huberLoss", () => (x) => nn.huberLoss(x, numbers(3, 5)), [3, 5], 1, 1],
  ["bceWithLogits", () => (x) => nn.binaryCrossEntropyWithLogits(x, numbers(3, 5)), [3, 5], 1, 1],
  ["klDiv", () => (x) => nn.klDiv(x, numbers(3, 5)), [3, 5], 1, 1],
  [
    "layer norm",
    () => {
      const norm = new nn.LayerNorm(5);
      return (x) => norm.forward(x);
    },
    [3, 5],
    1,
    3,
  ],
  [
    "rms norm",
    () => {
      const norm = new nn.RMSNorm(5);
      return (x) => norm.forward(x);
    },
    [3, 5],
    1,
    2,
  ],
  [
    "group norm",
    () => {
      const norm = new nn.GroupNorm(2, 4);
      return (x) => norm.forward(x);
    },
    [3, 4, 2],
    1,
    3,
  ],
  [
    "batch norm, training",
    () => {
      const norm = new nn.BatchNorm1d(5);
      return (x) => norm.forward(x);
    },
    [3, 5],
    2,
    1,
  ],
  [
    "batch norm of images",
    () => {
      const norm = new nn.BatchNorm2d(2);
      return (x) => norm.forward(x);
    },
    [3, 2, 4, 4],
    2,
    1,
  ],
  [
    "batch norm, evaluation",
    () => {
      const norm = new nn.BatchNorm1d(5).eval();
      return (x) => norm.forward(x);
    },
    [3, 5],
    1,
    3,
  ],
  [
    "dropout",
    () => {
      const drop = new nn.Dropout(0.5);
      return (x) => drop.forward(x);
    },
    [3, 5],
    1,
    1,
  ],
];

test.each(table)("%s", (_name, make, shape, forward, backward) => {
  const f = make();
  const [there, back] = counts(f, ...shape);
  expect(
    [there, back].map((labels) => labels.length),
    `${there} | ${back}`,
  ).toEqual([forward, backward]);
});
