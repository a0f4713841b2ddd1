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

const cases = loadFixtures<Case>("optim-scaler");

describe("GradScaler, as PyTorch", () => {
  test.each(cases.map((c) => [c.name, c] as const))("%s", (_, { options, steps, after }) => {
    let scaler = new GradScaler(options);
    const params = steps[0]!.grads.map(() => variable([1, 1]));
    const optimizers = params.map((p) => new SGD([p], { lr: 0.25 }));
    for (const [k, { grads, unscale, newScale }] of steps.entries()) {
      const scaled = scaler.scale(tensor(1)).itemSync();
      expect(scaled).toBe(after[k]!.scaled);
      for (const [i, p] of params.entries()) p.grad = tensor([decodeNumber(grads[i]!) * scaled, 0]);
      if (unscale) for (const optimizer of optimizers) scaler.unscale_(optimizer);
      const before = params.map((p) => p.tolistSync());
      for (const optimizer of optimizers) scaler.step(optimizer);
      scaler.update(newScale);
      expect(params.map((p) => p.dataSync())).toEqual(after[k]!.params.map((raw) => decode(raw).data));
      expect(scaler.stateDict()).toEqual(after[k]!.state);
      const stayed = params.map((p, i) => String(p.tolistSync()) === String(before[i]));
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
  test("scales losses, alone and in containers, and records it", () => {
    const { p, scaler } = start();
    const [a, { b }] = scaler.scale([p.mul(1), { b: p.mul(2) }] as [Tensor, { b: Tensor }]);
    a.add(b).sum().backward();
    expect(p.grad!.itemSync()).toBe(12);
  });

  test("gradients accumulate under one scale, are unscaled once, and may be clipped in between", () => {
    const { p, optimizer, scaler } = start();
    for (let k = 0; k < 2; k++) scaler.scale(p.mul(3).sum()).backward();
    scaler.unscale_(optimizer);
    expect(p.grad!.itemSync()).toBe(6);
    expect(clipGradNorm_([p], 1).itemSync()).toBe(6);
    scaler.step(optimizer);
    scaler.update();
    expect(p.itemSync()).toBeCloseTo(0.5, 5);
  });

  test("sparse gradients are unscaled by what they add up to", () => {
    const { optimizer, scaler } = start();
    const p = variable([[1], [1]]);
    optimizer.addParamGroup({ params: [p] });
    p.grad = new SparseTensor(tensor([[1, 1]], { dtype: "int64" }), tensor([[4], [4]]), [2, 1]);
    scaler.step(optimizer);
    scaler.update();
    expect(p.tolistSync()).toEqual([[1], [0]]);
  });

  test("returns what the step returns; passes everything through when not enabled", () => {
    const { p, optimizer, scaler } = start({ enabled: false });
    expect(scaler.getScale()).toBe(1);
    expect(scaler.scale(p)).toBe(p);
    p.grad = tensor([2]);
    scaler.unscale_(optimizer);
    scaler.step(optimizer);
    scaler.update();
    expect(p.itemSync()).toBe(0);
    expect(scaler.stateDict()).toEqual({});
    const on = start().scaler;
    expect(on.step({ paramGroups: [{ params: [p] }], step: () => 7 })).toBe(7);
  });

  test("never backs off to 0", () => {
    const { p, optimizer, scaler } = start({ initScale: 2 ** -149 });
    p.grad = tensor([Number.NaN]);
    scaler.step(optimizer);
    scaler.update();
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
  test.each(bad)("%s", (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});

describe("GradientAccumulator", () => {
  /** The parameter after passes with these gradients, and what `step` returned for each. */
  const run = (gradients: number[], options: GradientAccumulatorOptions) => {
    const { p, optimizer } = start();
    const accumulator = new GradientAccumulator(optimizer, options);
    const stepped = gradients.map((g) => {
      p.mul(g).sum().backward();
      return accumulator.step();
    });
    return { p, optimizer, accumulator, stepped, value: p.itemSync() };
  };

  test.each<[string, GradientAccumulatorOptions, number]>([
    ["the mean, as of one batch", { steps: 2 }, 1 - 0.5 * 3 - 0.5 * 5],
    ["the sum", { steps: 2, average: false }, 1 - 0.5 * 6 - 0.5 * 10],
    ["the mean, looking for what is not finite", { steps: 2, skipNonfinite: true }, 1 - 0.5 * 3 - 0.5 * 5],
  ])("%s", (_, options, expected) => {
    const { value, stepped, p } = run([2, 4, 1, 9, 100], options);
    expect(value).toBe(expected);
    expect(stepped).toEqual([false, true, false, true, false]);
    expect(p.grad === null).toBe(options.skipNonfinite === true);
  });

  test("a pass that is not finite is left out and does not count", () => {
    const { value, stepped, accumulator } = run([2, Number.NaN, 4, Number.POSITIVE_INFINITY, 1, 9], {
      steps: 2,
      skipNonfinite: true,
    });
    expect(value).toBe(1 - 0.5 * 3 - 0.5 * 5);
    expect(stepped).toEqual([false, false, true, false, false, true]);
    expect(accumulator.skipped).toBe(2);
  });

  test("flush steps with what there is", () => {
    for (const skipNonfinite of [false, true]) {
      const { p, accumulator } = run([2, 4], { steps: 3, skipNonfinite });
      expect(accumulator.flush()).toBe(true);
      expect(p.itemSync()).toBe(1 - 0.5 * 3);
      expect(accumulator.flush()).toBe(false);
    }
  });

  test("with a scaler, which unscales, steps and is updated", () => {
    const { p, optimizer, scaler } = start();
    const accumulator = new GradientAccumulator(optimizer, { steps: 2, scaler });
    const stepped = [2, 4, 2, Number.NaN].map((g) => {
      scaler.scale(p.mul(g).sum()).backward();
      return accumulator.step();
    });
    expect(stepped).toEqual([false, true, false, false]);
    expect(p.itemSync()).toBe(1 - 0.5 * 3);
    expect(scaler.getScale()).toBe(2);
    expect(p.grad).toBe(null);
  });

  test("clips before the step, by a hook", () => {
    const { p, optimizer } = start();
    optimizer.registerStepPreHook(() => void clipGradNorm_([p], 1));
    const accumulator = new GradientAccumulator(optimizer, { steps: 1 });
    p.mul(10).sum().backward();
    accumulator.step();
    expect(p.itemSync()).toBeCloseTo(0.5, 5);
  });

  test("sparse gradients", () => {
    const p = variable([[1], [1]]);
    const optimizer = new SGD([p], { lr: 0.5 });
    const accumulator = new GradientAccumulator(optimizer, { steps: 2, skipNonfinite: true });
    for (const row of [0, 1]) {
      p.grad = new SparseTensor(tensor([[row]], { dtype: "int64" }), tensor([[4]]), [2, 1]);
      accumulator.step();
    }
    expect(p.tolistSync()).toEqual([[0], [0]]);
  });

  const bad: [string, () => unknown][] = [
    ["no number of steps", () => new GradientAccumulator(start().optimizer, { steps: 0.5 })],
    ["an unknown option", () => new GradientAccumulator(start().optimizer, { steps: 1, skip: true } as never)],
    [
      "a scaler and skipNonfinite",
      () => new GradientAccumulator(start().optimizer, { steps: 1, skipNonfinite: true, scaler: new GradScaler() }),
    ],
  ];
  test.each(bad)("%s", (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});
