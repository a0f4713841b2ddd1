import { noGrad } from "@descent/autograd";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decodeNumber, loadFixtures, type RawNumber, type RawTensor } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import * as nn from "./index.ts";
import { setParameters } from "./testing/build.ts";
import { expectLike, fromFixture } from "./testing/fixture.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

interface NetworkCase {
  readonly dtype: "float32" | "float64";
  readonly parameters: Readonly<Record<string, RawTensor>>;
  readonly input: RawTensor;
  readonly target: RawTensor;
  readonly gradients: Readonly<Record<string, RawTensor>>;
  readonly losses: readonly RawNumber[];
  readonly stateDict: Readonly<Record<string, RawTensor>>;
  readonly evaluated: RawTensor;
}

/** Adam on the host, in double precision: this package does not know optimizers. */
function adam(parameters: readonly Tensor[], lr: number): () => Promise<void> {
  const moments = parameters.map(({ size }) => ({ m: new Float64Array(size), v: new Float64Array(size) }));
  let step = 0;
  return async () => {
    step++;
    for (const [i, p] of parameters.entries()) {
      const { m, v } = moments[i]!;
      const g = await p.grad!.data();
      const next = Float64Array.from(await p.data(), (x, k) => {
        m[k] = 0.9 * m[k]! + 0.1 * g[k]!;
        v[k] = 0.999 * v[k]! + 0.001 * g[k]! ** 2;
        return x - (lr * (m[k]! / (1 - 0.9 ** step))) / (Math.sqrt(v[k]! / (1 - 0.999 ** step)) + 1e-8);
      });
      noGrad(() => p.copy_(tensor(next, { dtype: p.dtype }).reshape(p.shape)));
    }
  };
}

describe("twenty steps of a small network, as PyTorch trains it", () => {
  test.each(loadFixtures<NetworkCase>("nn-network"))("$dtype", async (c) => {
    const { dtype } = c;
    const model = new nn.Sequential(
      new nn.Conv2d(1, 2, 3, { padding: 1, dtype }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(8, 5, { bias: false, dtype }),
      new nn.BatchNorm1d(5, { dtype }),
      new nn.Tanh(),
      new nn.Linear(5, 3, { dtype }),
    );
    setParameters(model, c.parameters);
    const [x, y] = [fromFixture(c.input), fromFixture(c.target)];
    const update = adam(model.parameters(), 0.02);
    const tolerance = dtype === "float64" ? 1e-11 : 2e-5;
    for (const [step, expected] of c.losses.entries()) {
      model.zeroGrad();
      const loss = nn.crossEntropy(model.forward(x), y);
      loss.backward();
      if (step === 0) {
        for (const [name, p] of model.namedParameters())
          await expectLike(p.grad as Tensor, c.gradients[name] as RawTensor, name, 10);
      }
      await update();
      const value = await loss.item();
      expect(Math.abs(value - decodeNumber(expected)), `loss of step ${step}: ${value}`).toBeLessThan(tolerance);
    }
    const state = model.stateDict();
    expect(Object.keys(state)).toEqual(Object.keys(c.stateDict));
    for (const [key, t] of Object.entries(state)) await expectLike(t, c.stateDict[key] as RawTensor, key, 100);
    await expectLike(model.eval().forward(x), c.evaluated, "evaluated", 100);
  });
});
