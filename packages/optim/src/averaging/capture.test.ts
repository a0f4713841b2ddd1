import { variable } from "@descent/autograd";
import { capture, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { expect, test } from "vitest";
import { AveragedModel, clipGradNorm_, GradientAccumulator, getEmaAvgFn, SGD } from "../index.ts";

await use(backendUnderTest());

/** The weights, their average and the norms of six steps. */
async function run(captured: boolean): Promise<unknown[]> {
  const p = variable([1, 2]);
  const optimizer = new SGD([p], { lr: 0.25 });
  const averaged = new AveragedModel({ parameters: () => [p] }, { avgFn: getEmaAvgFn(0.9, { warmup: 4 }) });
  const step = (x: Tensor) => {
    optimizer.zeroGrad();
    p.mul(x).square().sum().backward();
    const norm = clipGradNorm_([p], 1);
    optimizer.step();
    averaged.updateParameters();
    return norm;
  };
  const called = captured ? capture(step) : step;
  const norms: number[] = [];
  for (let i = 0; i < 6; i++) norms.push(await called(tensor([1, i / 2])).item());
  return [norms, await p.tolist(), await averaged.parameters()[0]!.tolist(), averaged.nAveraged];
}

test("a captured step clips and averages as an eager one", async () => {
  expect(await run(true)).toEqual(await run(false));
});

test("an accumulator says that it cannot be captured", () => {
  const p = variable([1]);
  const accumulator = new GradientAccumulator(new SGD([p]), { steps: 2 });
  const step = capture((x: Tensor) => {
    p.mul(x).sum().backward();
    accumulator.step();
    return x;
  });
  expect(() => {
    for (let i = 0; i < 3; i++) step(tensor([1]));
  }).toThrow("GradientAccumulator: a captured step cannot count");
});
