import { variable } from "@descent/autograd";
import { SparseTensor, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decode, decodeNumber, loadFixtures, type RawNumber, type RawTensor } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import {
  clipGradNorm_,
  GradientAccumulator,
  type GradientAccumulatorOptions,
  GradScaler,
  type GradScalerOptions,
  type GradScalerState,
  SGD,
} from "../index.ts";

await use(backendUnderTest());

interface Case {
  readonly name: string;
  readonly options: GradScalerOptions;
  readonly steps: readonly { grads: RawNumber[]; unscale?: true; newScale?: number }[];
  readonly after: readonly { scaled: number; params: RawTensor[]; state: GradScalerState }[];
}

const lists = (all: readonly Tensor[]) => Promise.all(all.map((x) => x.tolist()));
const cases = loadFixtures<Case>("optim-scaler");

describe("GradScaler, as PyTorch", () => {
  test.each(cases.map((c) => [c.name, c] as const))("%s", async (_, { options, steps, after }) => {
    let scaler = new GradScaler(options);
    const params = steps[0]!.grads.map(() => variable([1, 1]));
    const optimizers = params.map((p) => new SGD([p], { lr: 0.25 }));
    for (const [k, { grads, unscale, newScale }] of steps.entries()) {
      const scaled = await scaler.scale(tensor(1)).item();
      expect(scaled).toBe(after[k]!.scaled);
      for (const [i, p] of params.entries()) p.grad = tensor([decodeNumber(grads[i]!) * scaled, 0]);
      if (unscale) for (const optimizer of optimizers) scaler.unscale_(optimizer);
      const before = await lists(params);
      for (const optimizer of optimizers) await scaler.step(optimizer);
      await scaler.update(newScale);
      expect(await Promise.all(params.map((p) => p.data()))).toEqual(after[k]!.params.map((raw) => decode(raw).data));
      expect(scaler.stateDict()).toEqual(after[k]!.state);
      const now = await lists(params);
      const stayed = now.map((list, i) => String(list) === String(before[i]));
      if (scaler.enabled && decodeNumber(grads[0]!) !== 0)
        expect(optimizers.map((optimizer) => scaler.skipped(optimizer))).toEqual(stayed);
      // Saved and loaded between all steps: nothing is lost.
      if (scaler.enabled) {
        const next = new GradScaler({ initScale: 1 });
        next.loadStateDict(JSON.parse(JSON.stringify(scaler.stateDict())));
        scaler = next;
      }
    }
  });
});

const start = (options: GradScalerOptions = {}) => {
  const p = variable([1]);
  const optimizer = new SGD([p], { lr: 0.5 });
  return { p, optimizer, scaler: new GradScaler({ initScale: 4, ...options }) };
};

describe("GradScaler", () => {
  test("scales losses, alone and in containers, and records it", async () => {
    const { p, scaler } = start();
    const [a, { b }] = scaler.scale([p.mul(1), { b: p.mul(2) }] as [Tensor, { b: Tensor }]);
    a.add(b).sum().backward();
    expect(await p.grad!.item()).toBe(12);
  });

  test("gradients accumulate under one scale, are unscaled once, and may be clipped in between", async () => {
    const { p, optimizer, scaler } = start();
    for (let k = 0; k < 2; k++) scaler.scale(p.mul(3).sum()).backward();
    scaler.unscale_(optimizer);
    expect(await p.grad!.item()).toBe(6);
    expect(await clipGradNorm_([p], 1).item()).toBe(6);
    await scaler.step(optimizer);
    await scaler.update();
    expect(await p.item()).toBeCloseTo(0.5, 5);
  });

  test("sparse gradients are unscaled by what they add up to", async () => {
    const { optimizer, scaler } = start();
    const p = variable([[1], [1]]);
    optimizer.addParamGroup({ params: [p] });
    p.grad = new SparseTensor(tensor([[1, 1]], { dtype: "int64" }), tensor([[4], [4]]), [2, 1]);
    await scaler.step(optimizer);
    await scaler.update();
    expect(await p.tolist()).toEqual([[1], [0]]);
  });

  test("returns what the step returns; passes everything through when not enabled", async () => {
    const { p, optimizer, scaler } = start({ enabled: false });
    expect(scaler.getScale()).toBe(1);
    expect(scaler.scale(p)).toBe(p);
    p.grad = tensor([2]);
    scaler.unscale_(optimizer);
    await scaler.step(optimizer);
    await scaler.update();
    expect(await p.item()).toBe(0);
    expect(scaler.stateDict()).toEqual({});
    const on = start().scaler;
    expect(await on.step({ paramGroups: [{ params: [p] }], step: () => 7 })).toBe(7);
  });

  test("never backs off to 0", async () => {
    const { p, optimizer, scaler } = start({ initScale: 2 ** -149 });
    p.grad = tensor([Number.NaN]);
    await scaler.step(optimizer);
    await scaler.update();
    expect(scaler.getScale()).toBe(2 ** -149);
  });

  const half = () => {
    const p = tensor([1], { dtype: "float16" });
    p.grad = tensor([1], { dtype: "float16" });
    return { paramGroups: [{ params: [p] }], step() {} };
  };
  const after = (...calls: ("unscale_" | "step" | "update")[]) => {
    const { p, optimizer, scaler } = start();
    p.grad = tensor([1]);
    for (const call of calls) call === "update" ? scaler.update() : scaler[call](optimizer);
  };
  const bad: [string, () => unknown][] = [
    ["a scale of 0", () => new GradScaler({ initScale: 0 })],
    ["growth by 1", () => new GradScaler({ growthFactor: 1 })],
    ["backing off by 1", () => new GradScaler({ backoffFactor: 1 })],
    ["an interval of 0", () => new GradScaler({ growthInterval: 0 })],
    ["an unknown option", () => new GradScaler({ initialScale: 1 } as object)],
    ["a loss that is no tensor", () => start().scaler.scale("loss")],
    ["unscaling twice", () => after("unscale_", "unscale_")],
    ["unscaling after the step", () => after("step", "unscale_")],
    ["stepping twice", () => after("step", "step")],
    ["updating without a step", () => after("update")],
    ["float16 gradients", () => start().scaler.step(half())],
    ["a new scale of 0", () => start().scaler.update(0)],
    ["the state of a scaler that is not enabled", () => start().scaler.loadStateDict({})],
    ["a damaged state", () => start().scaler.loadStateDict({ ...start().scaler.stateDict(), growth_factor: 0.5 })],
  ];
  test.each(bad)("%s", async (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});

describe("GradientAccumulator", () => {
  /** The parameter after passes with these gradients, and what `step` returned for each. */
  const run = async (gradients: number[], options: GradientAccumulatorOptions) => {
    const { p, optimizer } = start();
    const accumulator = new GradientAccumulator(optimizer, options);
    const stepped: boolean[] = [];
    for (const g of gradients) {
      p.mul(g).sum().backward();
      stepped.push(await accumulator.step());
    }
    return { p, optimizer, accumulator, stepped, value: await p.item() };
  };

  test.each<[string, GradientAccumulatorOptions, number]>([
    ["the mean, as of one batch", { steps: 2 }, 1 - 0.5 * 3 - 0.5 * 5],
    ["the sum", { steps: 2, average: false }, 1 - 0.5 * 6 - 0.5 * 10],
    ["the mean, looking for what is not finite", { steps: 2, skipNonfinite: true }, 1 - 0.5 * 3 - 0.5 * 5],
  ])("%s", async (_, options, expected) => {
    const { value, stepped, p } = await run([2, 4, 1, 9, 100], options);
    expect(value).toBe(expected);
    expect(stepped).toEqual([false, true, false, true, false]);
    expect(p.grad === null).toBe(options.skipNonfinite === true);
  });

  test("a pass that is not finite is left out and does not count", async () => {
    const { value, stepped, accumulator } = await run([2, Number.NaN, 4, Number.POSITIVE_INFINITY, 1, 9], {
      steps: 2,
      skipNonfinite: true,
    });
    expect(value).toBe(1 - 0.5 * 3 - 0.5 * 5);
    expect(stepped).toEqual([false, false, true, false, false, true]);
    expect(accumulator.skipped).toBe(2);
  });

  test("flush steps with what there is", async () => {
    for (const skipNonfinite of [false, true]) {
      const { p, accumulator } = await run([2, 4], { steps: 3, skipNonfinite });
      expect(await accumulator.flush()).toBe(true);
      expect(await p.item()).toBe(1 - 0.5 * 3);
      expect(await accumulator.flush()).toBe(false);
    }
  });

  test("with a scaler, which unscales, steps and is updated", async () => {
    const { p, optimizer, scaler } = start();
    const accumulator = new GradientAccumulator(optimizer, { steps: 2, scaler });
    const stepped: boolean[] = [];
    for (const g of [2, 4, 2, Number.NaN]) {
      scaler.scale(p.mul(g).sum()).backward();
      stepped.push(await accumulator.step());
    }
    expect(stepped).toEqual([false, true, false, false]);
    expect(await p.item()).toBe(1 - 0.5 * 3);
    expect(scaler.getScale()).toBe(2);
    expect(p.grad).toBe(null);
  });

  test("clips before the step, by a hook", async () => {
    const { p, optimizer } = start();
    optimizer.registerStepPreHook(() => void clipGradNorm_([p], 1));
    const accumulator = new GradientAccumulator(optimizer, { steps: 1 });
    p.mul(10).sum().backward();
    accumulator.step();
    expect(await p.item()).toBeCloseTo(0.5, 5);
  });

  test("sparse gradients", async () => {
    const p = variable([[1], [1]]);
    const optimizer = new SGD([p], { lr: 0.5 });
    const accumulator = new GradientAccumulator(optimizer, { steps: 2, skipNonfinite: true });
    for (const row of [0, 1]) {
      p.grad = new SparseTensor(tensor([[row]], { dtype: "int64" }), tensor([[4]]), [2, 1]);
      await accumulator.step();
    }
    expect(await p.tolist()).toEqual([[0], [0]]);
  });

  const bad: [string, () => unknown][] = [
    ["no number of steps", () => new GradientAccumulator(start().optimizer, { steps: 0.5 })],
    ["an unknown option", () => new GradientAccumulator(start().optimizer, { steps: 1, skip: true } as never)],
    [
      "a scaler and skipNonfinite",
      () => new GradientAccumulator(start().optimizer, { steps: 1, skipNonfinite: true, scaler: new GradScaler() }),
    ],
  ];
  test.each(bad)("%s", async (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});
