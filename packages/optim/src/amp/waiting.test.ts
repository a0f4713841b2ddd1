import { variable } from "@descent/autograd";
import { type Backend, steps, tensor, use } from "@descent/tensor";
import { backendUnderTest, under } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { clipGradNorm_, GradientAccumulator, GradScaler, SGD } from "../index.ts";

// A backend that cannot read at once: WebGPU, or another one made blind.
const seeing = await backendUnderTest();
const blind: Backend = under.sync ? Object.create(seeing, { readSync: { value: undefined } }) : seeing;
await use(blind);

const start = () => {
  const p = variable([1]);
  return { p, optimizer: new SGD([p], { lr: 0.5 }) };
};

// This one comes first: what other tests leave is collected at any time.
test("a loop that does it all runs at constant memory", async () => {
  const { p, optimizer } = start();
  const scaler = new GradScaler({ initScale: 4 });
  const plain = start();
  const accumulator = new GradientAccumulator(plain.optimizer, { steps: 2, skipNonfinite: true });
  const { memory } = p.runtime;
  const seen: number[] = [];
  for await (const _ of steps(40)) {
    optimizer.zeroGrad();
    scaler.scale(p.mul(2).sum()).backward();
    scaler.unscale_(optimizer);
    clipGradNorm_([p], 1);
    await scaler.step(optimizer);
    await scaler.update();
    plain.p.mul(2).sum().backward();
    await accumulator.step();
    seen.push(memory.report().buffers);
  }
  // The accumulator keeps its gradients for two iterations.
  expect(seen.slice(-2)).toEqual(seen.slice(10, 12));
});

describe("where results have to be waited for", () => {
  test("the scaler steps, skips and updates", async () => {
    const { p, optimizer } = start();
    const scaler = new GradScaler({ initScale: 4 });
    for (const g of [2, Number.NaN, 4]) {
      optimizer.zeroGrad();
      scaler.scale(p.mul(g).sum()).backward();
      const stepped = scaler.step(optimizer);
      expect(stepped).toBeInstanceOf(Promise);
      await stepped;
      expect(scaler.skipped(optimizer)).toBe(Number.isNaN(g));
      await scaler.update();
    }
    expect([await p.item(), scaler.getScale()]).toEqual([1 - 0.5 * 2 - 0.5 * 4, 2]);
  });

  test("update asks for what unscale_ found, if nobody stepped", async () => {
    const { p, optimizer } = start();
    const scaler = new GradScaler({ initScale: 4 });
    p.grad = tensor([Number.POSITIVE_INFINITY]);
    scaler.unscale_(optimizer);
    await scaler.update();
    expect(scaler.getScale()).toBe(2);
  });

  test("the accumulator leaves out what is not finite, one step at a time", async () => {
    const { p, optimizer } = start();
    const accumulator = new GradientAccumulator(optimizer, { steps: 2, skipNonfinite: true });
    const stepped: boolean[] = [];
    for (const g of [2, Number.NaN, 4]) {
      p.mul(g).sum().backward();
      const pending = accumulator.step();
      expect(() => accumulator.step()).toThrow("GradientAccumulator: the last step is still going on");
      stepped.push(await pending);
    }
    expect([stepped, accumulator.skipped, await p.item()]).toEqual([[false, false, true], 1, 1 - 0.5 * 3]);
  });

  test("without skipNonfinite nothing is waited for", () => {
    const { p, optimizer } = start();
    const accumulator = new GradientAccumulator(optimizer, { steps: 1 });
    p.mul(2).sum().backward();
    expect(accumulator.step()).toBe(true);
  });
});
