import { type DType, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, describe, expect, test } from "vitest";
import * as nn from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const wave = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7));
const classes = () => tensor([0, 2], { dtype: "int64" });
const image = [2, 2, 4, 4];

/** Networks that meet every kind of layer, and their inputs' shapes. */
const networks: readonly (readonly [string, () => nn.Module, readonly number[]])[] = [
  ["linear layers", () => new nn.Sequential(new nn.Linear(6, 5), new nn.GELU(), new nn.Linear(5, 3)), [2, 6]],
  ["batch norm", () => new nn.Sequential(new nn.Linear(6, 3), new nn.BatchNorm1d(3), new nn.Tanh()), [2, 6]],
  ["layer norm", () => new nn.Sequential(new nn.LayerNorm(6), new nn.SiLU(), new nn.Linear(6, 3)), [2, 6]],
  [
    "convolutions",
    () =>
      new nn.Sequential(
        new nn.Conv2d(2, 4, 3, { padding: 1 }),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.AvgPool2d(2),
        new nn.Flatten(),
        new nn.Linear(4, 3),
      ),
    image,
  ],
];

/** Half a unit in the last place, times what a few layers of rounding to it add up to. */
const tolerances: readonly (readonly [DType, number])[] = [
  ["bfloat16", 16 * 2 ** -9],
  ["float16", 16 * 2 ** -12],
];

async function run(model: nn.Module, x: Tensor) {
  const loss = nn.crossEntropy(model.forward(x), classes());
  loss.backward();
  const gradients = model.parameters().map(({ grad }) => grad as Tensor);
  return {
    dtypes: new Set([loss, ...gradients].map(({ dtype }) => dtype)),
    loss: await loss.item(),
    gradients: await Promise.all(gradients.map(async (g) => Array.from(await g.data()))),
  };
}

describe.each(tolerances)("%s", (dtype, tolerance) => {
  test.each(networks)("%s", async (_, make, shape) => {
    const [exact, half] = [make(), make()];
    half.loadStateDict(exact.stateDict());
    exact.to(dtype).to("float32"); // both start from numbers that the dtype has
    half.to(dtype);
    const x = tensor(wave(shape.reduce((a, b) => a * b, 1))).reshape(shape);
    const [a, b] = [await run(exact, x.to(dtype).to("float32")), await run(half, x.to(dtype))];
    expect([...b.dtypes]).toEqual([dtype]);
    expect(Math.abs(a.loss - b.loss)).toBeLessThan(tolerance * Math.abs(a.loss));
    a.gradients.forEach((gradient, i) => {
      const size = Math.max(...gradient.map(Math.abs), 0.1); // rounding is relative to what was added up
      gradient.forEach((g, j) => {
        expect(Math.abs(g - (b.gradients[i]?.[j] as number))).toBeLessThan(2 * tolerance * size);
      });
    });
  });

  test("embedding, dropout and the other losses", async () => {
    const table = new nn.Embedding(4, 3, { dtype });
    const y = new nn.Dropout(0.5).forward(table.forward(classes()));
    for (const loss of [
      nn.mseLoss(y, y.detach().mul(0)),
      nn.l1Loss(y, y.detach().mul(0)),
      nn.binaryCrossEntropyWithLogits(y, y.detach().sigmoid()),
      nn.nllLoss(y.logSoftmax(1), classes()),
      nn.klDiv(y.logSoftmax(1), y.detach().softmax(1)),
    ]) {
      expect(loss.dtype).toBe(dtype);
      loss.backward(null, { retainGraph: true });
      expect(table.weight.grad?.dtype).toBe(dtype);
      expect((await table.weight.grad!.data()).every(Number.isFinite)).toBe(true);
    }
  });
});
