import { beforeAll, describe, expect, test } from "vitest";
import * as api from "./index.ts";
import { type LRScheduler, type ResumeOptions, type Schedulable, setWarnings } from "./index.ts";
import { relative } from "./testing/close.ts";
import { adam, sgd } from "./testing/optimizer.ts";
import { composites, metricOf, plateaus, singles } from "./testing/zoo.ts";

beforeAll(() => setWarnings(false));

const all = Object.entries({ ...singles, ...composites, ...plateaus });
const takesMetric = (scheduler: LRScheduler) => scheduler.parts().some((part) => part instanceof api.ReduceLROnPlateau);
const step = (scheduler: LRScheduler, epoch: number) =>
  scheduler.step(takesMetric(scheduler) ? metricOf(epoch) : undefined);

describe.each(all)("%s", (_name, make) => {
  test("getLastLr gives a copy of the lrs in the groups, from the beginning on", () => {
    const optimizer = sgd();
    const scheduler = make(optimizer);
    for (let epoch = 0; epoch < 12; epoch++) {
      expect(scheduler.getLastLr()).toEqual(optimizer.lrs());
      scheduler.getLastLr().fill(7);
      step(scheduler, epoch);
    }
  });

  test("a state survives JSON and is the same when loaded and saved again", () => {
    const scheduler = make(sgd());
    for (let epoch = 0; epoch < 5; epoch++) step(scheduler, epoch);
    const state = JSON.parse(JSON.stringify(scheduler.stateDict())) as api.StateDict;
    const again = make(sgd());
    again.loadStateDict(state);
    expect(again.stateDict()).toEqual(scheduler.stateDict());
    expect(again.lastEpoch).toBe(scheduler.lastEpoch);
  });

  test("keeps the base lr that it found", () => {
    const optimizer = sgd();
    const scheduler = make(optimizer);
    const initial = optimizer.paramGroups.map(({ initialLr }) => initialLr);
    for (let epoch = 0; epoch < 12; epoch++) step(scheduler, epoch);
    expect(optimizer.paramGroups.map(({ initialLr }) => initialLr)).toEqual(initial);
  });
});

/** The same class with other options: what a state must overwrite. */
const others: Readonly<Record<string, [(o: Schedulable) => LRScheduler, (o: Schedulable) => LRScheduler]>> = {
  StepLR: [(o) => new api.StepLR(o, { stepSize: 3 }), (o) => new api.StepLR(o, { stepSize: 1, gamma: 0.01 })],
  MultiStepLR: [
    (o) => new api.MultiStepLR(o, { milestones: [2, 5, 5, 9] }),
    (o) => new api.MultiStepLR(o, { milestones: [1, 4], gamma: 0.01 }),
  ],
  ConstantLR: [(o) => new api.ConstantLR(o), (o) => new api.ConstantLR(o, { factor: 0.9, totalIters: 99 })],
  LinearLR: [(o) => new api.LinearLR(o), (o) => new api.LinearLR(o, { startFactor: 0.9, totalIters: 99 })],
  ExponentialLR: [(o) => new api.ExponentialLR(o, { gamma: 0.1 }), (o) => new api.ExponentialLR(o, { gamma: 0.01 })],
  PolynomialLR: [(o) => new api.PolynomialLR(o), (o) => new api.PolynomialLR(o, { totalIters: 99, power: 3 })],
  CosineAnnealingLR: [
    (o) => new api.CosineAnnealingLR(o, { tMax: 10, etaMin: 1e-10 }),
    (o) => new api.CosineAnnealingLR(o, { tMax: 99, etaMin: 0.01 }),
  ],
  CosineAnnealingWarmRestarts: [
    (o) => new api.CosineAnnealingWarmRestarts(o, { t0: 4, tMult: 2 }),
    (o) => new api.CosineAnnealingWarmRestarts(o, { t0: 100 }),
  ],
  CyclicLR: [
    (o) => new api.CyclicLR(o, { baseLr: [0.01, 0.02], maxLr: 0.1, stepSizeUp: 3, mode: "exp_range", gamma: 0.9 }),
    (o) => new api.CyclicLR(o, { baseLr: 1, maxLr: 2, baseMomentum: 0.1, maxMomentum: 0.2 }),
  ],
  SWALR: [
    (o) => new api.SWALR(o, { swaLr: 0.5, annealEpochs: 3 }),
    (o) => new api.SWALR(o, { swaLr: 0.5, annealEpochs: 10, annealStrategy: "linear" }),
  ],
  ReduceLROnPlateau: [
    (o) => new api.ReduceLROnPlateau(o, { mode: "max", factor: 0.5, patience: 1, cooldown: 2, minLr: [0.01, 0.02] }),
    (o) => new api.ReduceLROnPlateau(o, { patience: 9, threshold: 1, thresholdMode: "abs", minLr: [1, 1], eps: 1 }),
  ],
  WarmupCosine: [
    (o) => new api.WarmupCosine(o, { warmupSteps: 3, totalSteps: 9 }),
    (o) => new api.WarmupCosine(o, { warmupSteps: 1, totalSteps: 99, endFactor: 0.5, startFactor: 0.5 }),
  ],
  SequentialLR: [
    (o) => api.warmup(new api.StepLR(o, { stepSize: 3 }), { steps: 5 }),
    (o) => api.warmup(new api.StepLR(o, { stepSize: 9, gamma: 0.9 }), { steps: 1 }),
  ],
};

describe("a state loaded into a differently configured scheduler", () => {
  test.each(Object.entries(others))("%s: configures it anew", (_name, [make, other]) => {
    const [first, second] = [sgd(), sgd()];
    const scheduler = make(first);
    for (let epoch = 0; epoch < 4; epoch++) step(scheduler, epoch);
    const copy = other(second);
    copy.loadStateDict(scheduler.stateDict());
    for (let epoch = 4; epoch < 16; epoch++) {
      expect(copy.stateDict()).toEqual(scheduler.stateDict());
      expect(second.lrs()).toEqual(first.lrs());
      expect(second.momenta()).toEqual(first.momenta());
      for (const one of [scheduler, copy]) step(one, epoch);
    }
  });
});

const closed = [
  "StepLR",
  "MultiStepLR",
  "ConstantLR",
  "LinearLR",
  "ExponentialLR",
  "PolynomialLR",
  "CosineAnnealingLR",
  "WarmupCosine",
  "WarmupLinear",
  "WarmupStableDecay",
  "InverseSqrt",
  "REX",
];

describe("the closed form", () => {
  test.each(closed)("%s: step(epoch) gives what as many steps give, in any order", (name) => {
    const [stepped, jumped] = [sgd(), sgd()];
    const [a, b] = [singles[name]!(stepped), singles[name]!(jumped)];
    const traced = Array.from({ length: 20 }, (_, epoch) => {
      if (epoch > 0) a.step();
      return stepped.lrs();
    });
    for (const epoch of [7, 2, 2, 2, 19, 0, 11, 3]) {
      b.step(epoch);
      expect([epoch, jumped.lrs()]).toEqual([epoch, traced[epoch]]);
    }
  });

  test.each(closed)("%s: where another scheduler interferes, composes with it", (name) => {
    const [alone, both] = [sgd(), sgd()];
    const make = singles[name]!;
    const single = make(alone);
    const pair = [make(both), new api.ExponentialLR(both, { gamma: 0.9 })];
    for (let epoch = 1; epoch < 9; epoch++) {
      for (const scheduler of [single, ...pair]) scheduler.step();
      // Cosine scales the distance to its lowest lr: there is no product to compare with.
      if (name === "CosineAnnealingLR") continue;
      for (const [i, lr] of alone.lrs().entries()) {
        expect(relative(both.lrs()[i]!, lr * 0.9 ** epoch)).toBeLessThan(1e-13);
      }
    }
  });
});

test("the lists given as options may be changed afterwards", () => {
  const milestones = [2, 4];
  const maxLr = [0.1, 0.2];
  const optimizer = sgd();
  const schedulers = [
    new api.MultiStepLR(optimizer, { milestones }),
    new api.OneCycleLR(adam(), { maxLr, totalSteps: 10 }),
  ];
  const before = schedulers.map((scheduler) => api.preview(scheduler, 8));
  milestones.length = maxLr.length = 0;
  expect(schedulers.map((scheduler) => api.preview(scheduler, 8))).toEqual(before);
});

test("a cosine, then a cycle, stays below the cycle's maximum", () => {
  const optimizer = sgd([0.5]);
  const cosine = new api.CosineAnnealingLR(optimizer, { tMax: 20, etaMin: 0.1 });
  const cyclic = new api.CyclicLR(optimizer, { baseLr: 0.1, maxLr: 0.3, stepSizeUp: 1, stepSizeDown: 3 });
  for (let epoch = 0; epoch < 40; epoch++) (epoch <= 20 ? cosine : cyclic).step();
  expect(optimizer.lrs()[0]).toBeLessThanOrEqual(0.3);
});

test("SWALR takes over from another scheduler, at whatever lr it left", () => {
  const optimizer = sgd([0.05]);
  const before = new api.MultiplicativeLR(optimizer, () => 0.9);
  const swa = new api.SWALR(optimizer, { swaLr: 0.01, annealEpochs: 5 });
  for (let epoch = 0; epoch < 4; epoch++) before.step();
  const start = optimizer.lrs()[0]!;
  for (let epoch = 1; epoch <= 7; epoch++) {
    swa.step();
    const weight = (1 + Math.cos(Math.PI * Math.min(1, epoch / 5))) / 2;
    expect(optimizer.lrs()[0]).toBeCloseTo(0.01 + (start - 0.01) * weight, 15);
  }
});

test("a scheduler of one's own is a factor of the epoch", () => {
  class HalfEvery extends api.FactorScheduler<{ epochs: number }> {
    constructor(optimizer: Schedulable, options: { epochs: number } & ResumeOptions) {
      super("HalfEvery", optimizer, options, { epochs: { rule: { expected: "a number", accepts: Number.isFinite } } });
    }
    protected factor(epoch: number): number {
      return 0.5 ** (epoch / this.options.epochs);
    }
  }
  const optimizer = sgd([1]);
  const scheduler = api.warmup(new HalfEvery(optimizer, { epochs: 2 }), { steps: 2, startFactor: 0.5 });
  expect(api.preview(scheduler, 4).flat()).toEqual([0.75, 1, 0.5 ** 0.5, 0.5]);
  expect(scheduler.schedulers[1]!.stateDict()).toMatchObject({ epochs: 2, base_lrs: [1], last_epoch: -1 });
});
