import { describe, expect, test } from "vitest";
import * as api from "./index.ts";
import { sgd, type TestOptimizer } from "./testing/optimizer.ts";

/** The lr of the first group now and after each of `steps` steps, to six digits. */
function trace(optimizer: TestOptimizer, scheduler: { step(): void }, steps: number): number[] {
  return Array.from({ length: steps + 1 }, (_, k) => {
    if (k > 0) scheduler.step();
    return Number(optimizer.lrs()[0]!.toPrecision(6));
  });
}

/** A run of `epochs` epochs, broken off and resumed with lastEpoch alone. */
function resumed<S extends { step(): void }>(make: (o: TestOptimizer, lastEpoch: number) => S, epochs: number) {
  const whole = sgd();
  const scheduler = make(whole, -1);
  for (let epoch = 0; epoch < epochs; epoch++) scheduler.step();
  const optimizer = sgd();
  optimizer.loadStateDict(whole.stateDict());
  return { again: make(optimizer, epochs - 1), optimizer, scheduler, whole };
}

describe("what PyTorch 2.13 gets wrong", () => {
  test("StepLR and MultiStepLR resumed at a decay do not decay twice", () => {
    for (const epochs of [2, 3, 4, 6]) {
      const step = resumed((o, lastEpoch) => new api.StepLR(o, { stepSize: 3, lastEpoch }), epochs);
      expect(trace(step.optimizer, step.again, 6)).toEqual(trace(step.whole, step.scheduler, 6));
      const multi = resumed((o, lastEpoch) => new api.MultiStepLR(o, { milestones: [2, 4], lastEpoch }), epochs);
      expect(trace(multi.optimizer, multi.again, 6)).toEqual(trace(multi.whole, multi.scheduler, 6));
    }
  });

  test("ConstantLR resumed at totalIters does not divide twice", () => {
    const { again, optimizer } = resumed((o, lastEpoch) => new api.ConstantLR(o, { lastEpoch }), 5);
    expect(trace(optimizer, again, 3)).toEqual([0.05, 0.05, 0.05, 0.05]); // PyTorch: 0.15
  });

  test("SWALR resumed by lastEpoch goes on annealing", () => {
    const swa = resumed((o, lastEpoch) => new api.SWALR(o, { swaLr: 0.01, annealEpochs: 5, lastEpoch }), 3);
    expect(trace(swa.optimizer, swa.again, 4)).toEqual(trace(swa.whole, swa.scheduler, 4));
  });

  test("a composite may be any child of SequentialLR", () => {
    const optimizer = sgd();
    const first = new api.ConstantLR(optimizer, { factor: 0.1, totalIters: 2 });
    const chain = new api.ChainedScheduler([
      new api.ExponentialLR(optimizer, { gamma: 0.9 }),
      new api.StepLR(optimizer, { stepSize: 2 }),
    ]);
    const sequence = api.warmup(new api.ExponentialLR(optimizer, { gamma: 0.5 }), { steps: 2, startFactor: 0.5 });
    const scheduler = new api.SequentialLR(optimizer, { schedulers: [first, chain, sequence], milestones: [2, 5] });
    // PyTorch: NotImplementedError at epoch 2
    expect(trace(optimizer, scheduler, 8)).toEqual([0.005, 0.005, 0.05, 0.045, 0.00405, 0.025, 0.0375, 0.05, 0.025]);
  });

  test("a chain that is the first child of SequentialLR begins at the base lr", () => {
    const optimizer = sgd();
    const chain = new api.ChainedScheduler([new api.ExponentialLR(optimizer, { gamma: 0.5 })]);
    const scheduler = new api.SequentialLR(optimizer, { schedulers: [chain], milestones: [] });
    expect(trace(optimizer, scheduler, 2)).toEqual([0.05, 0.025, 0.0125]); // PyTorch: one decay too many
  });

  test("MultiplicativeLR after another phase begins at the base lr", () => {
    const optimizer = sgd();
    const schedulers = [
      new api.LinearLR(optimizer, { startFactor: 0.1, totalIters: 3 }),
      new api.MultiplicativeLR(optimizer, () => 0.5),
    ];
    const scheduler = new api.SequentialLR(optimizer, { schedulers, milestones: [3] });
    expect(trace(optimizer, scheduler, 4)).toEqual([0.005, 0.02, 0.035, 0.05, 0.025]); // PyTorch: 0.0175 at epoch 3
  });

  test("SequentialLR with lastEpoch is where it should be", () => {
    const make = (o: TestOptimizer, lastEpoch: number) =>
      new api.SequentialLR(o, {
        schedulers: [new api.LinearLR(o, { totalIters: 4 }), new api.ExponentialLR(o, { gamma: 0.9 })],
        milestones: [4],
        lastEpoch,
      });
    for (let epochs = 1; epochs < 8; epochs++) {
      const { again, optimizer, scheduler, whole } = resumed(make, epochs);
      expect(again.lastEpoch).toBe(epochs);
      expect(trace(optimizer, again, 4)).toEqual(trace(whole, scheduler, 4));
    }
  });

  test("OneCycleLR stays at its end, one step after the last", () => {
    const optimizer = sgd();
    const scheduler = new api.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 10 });
    expect(trace(optimizer, scheduler, 10).slice(-2)).toEqual([4e-7, 4e-7]); // PyTorch: 0.00495
    expect(optimizer.momenta()).toEqual([0.95, 0.95]);
    expect(() => scheduler.step()).toThrow("OneCycleLR: stepped past its end");
    expect(optimizer.lrs()).toEqual([4e-7, 4e-7]);
  });

  test("OneCycleLR may rise in a single step", () => {
    const optimizer = sgd();
    const scheduler = new api.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 3, pctStart: 1 / 3 });
    expect(trace(optimizer, scheduler, 2)).toEqual([0.1, 0.0500002, 4e-7]); // PyTorch: ZeroDivisionError
  });

  test("OneCycleLR leaves the initial lr of the other phases alone", () => {
    const optimizer = sgd();
    const schedulers = [
      new api.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 }),
      new api.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 10 }),
    ];
    const scheduler = new api.SequentialLR(optimizer, { schedulers, milestones: [2] });
    expect(trace(optimizer, scheduler, 3)).toEqual([0.025, 0.0375, 0.004, 0.052]); // PyTorch: 0.002, 0.003, …
  });

  test("ReduceLROnPlateau tells better from worse below 0", () => {
    for (const [mode, worse, better] of [
      ["min", -0.99995, -1.001],
      ["max", -1.00005, -0.99],
    ] as const) {
      const scheduler = new api.ReduceLROnPlateau(sgd(), { mode });
      scheduler.step(-1);
      scheduler.step(worse);
      expect([scheduler.best, scheduler.numBadEpochs]).toEqual([-1, 1]);
      scheduler.step(better);
      expect([scheduler.best, scheduler.numBadEpochs]).toEqual([better, 0]);
    }
  });

  test("loading a state does not change it, nor share lists with it", () => {
    const scheduler = new api.CyclicLR(sgd(), { baseLr: 0.01, maxLr: 0.1 });
    const state = scheduler.stateDict();
    const before = JSON.stringify(state);
    for (let time = 0; time < 2; time++) new api.CyclicLR(sgd(), { baseLr: 0.01, maxLr: 0.1 }).loadStateDict(state);
    scheduler.step();
    (scheduler.getLastLr() as number[]).fill(7);
    expect(JSON.stringify(state)).toBe(before);
    const other = new api.CyclicLR(sgd(), { baseLr: 0.01, maxLr: 0.1 });
    other.loadStateDict(state);
    (state.base_lrs as number[]).fill(7);
    expect(other.baseLrs).toEqual([0.01, 0.01]);
  });

  test("ConstantLR with a factor of 0 comes back", () => {
    const optimizer = sgd();
    const scheduler = new api.ConstantLR(optimizer, { factor: 0, totalIters: 2 });
    expect(trace(optimizer, scheduler, 3)).toEqual([0, 0, 0.05, 0.05]); // PyTorch: ZeroDivisionError
  });

  test("warm restarts by epoch number hit each restart exactly", () => {
    const optimizer = sgd();
    const scheduler = new api.CosineAnnealingWarmRestarts(optimizer, { t0: 10, tMult: 3 });
    for (let restart = 10, length = 30; restart < 1e9; restart += length, length *= 3) {
      scheduler.step(restart);
      expect([optimizer.lrs()[0], scheduler.tCur, scheduler.tI]).toEqual([0.05, 0, length]); // PyTorch, at 1210: 0
    }
  });

  test("warm restarts resumed by lastEpoch are in the right cycle", () => {
    const make = (o: TestOptimizer, lastEpoch: number) =>
      new api.CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 2, lastEpoch });
    const { again, scheduler } = resumed(make, 9);
    expect([again.tCur, again.tI]).toEqual([scheduler.tCur, scheduler.tI]); // PyTorch: 1 of 4, not 3 of 8
  });

  test("cosine after a million steps is exactly at etaMin", () => {
    const optimizer = sgd();
    const scheduler = new api.CosineAnnealingLR(optimizer, { tMax: 1e6, etaMin: 1e-5 });
    for (let step = 0; step < 1e6; step++) scheduler.step();
    expect(optimizer.lrs()).toEqual([1e-5, 1e-5]);
  });

  test("a cosine on its way up does not drive a reduced lr below 0", () => {
    const optimizer = sgd([0.5]);
    const scheduler = new api.CosineAnnealingLR(optimizer, { tMax: 4, etaMin: 0.4 });
    for (let epoch = 0; epoch < 5; epoch++) scheduler.step();
    optimizer.paramGroups[0]!.lr = 0.1;
    expect(trace(optimizer, scheduler, 3)).toEqual([0.1, 0, 0, 0]); // PyTorch: -0.62, -1.35, -1.65
  });
});

describe("groups that are added later", () => {
  const late: readonly [string, (o: TestOptimizer) => api.LRScheduler, number[]][] = [
    ["LambdaLR", (o) => new api.LambdaLR(o, (e) => 1 / (e + 1)), [0.2, 0.05, 0.04]],
    ["MultiplicativeLR", (o) => new api.MultiplicativeLR(o, () => 0.5), [0.2, 0.1, 0.05]],
    ["CosineAnnealingLR", (o) => new api.CosineAnnealingLR(o, { tMax: 4 }), [0.2, 0.0585786, 0]],
    ["CosineAnnealingWarmRestarts", (o) => new api.CosineAnnealingWarmRestarts(o, { t0: 4 }), [0.2, 0.0292893, 0.2]],
    ["CyclicLR", (o) => new api.CyclicLR(o, { baseLr: 0.1, maxLr: 0.3, stepSizeUp: 4 }), [0.2, 0.25, 0.3]],
    ["OneCycleLR", (o) => new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 5 }), [0.2, 0.0188258, 4e-7]],
    ["SWALR", (o) => new api.SWALR(o, { swaLr: 0.1, annealEpochs: 3, annealStrategy: "linear" }), [0.2, 0.1, 0.1]],
    ["WarmupCosine", (o) => new api.WarmupCosine(o, { warmupSteps: 4, totalSteps: 9 }), [0.2, 0.3, 0.4]],
    [
      "a sequence",
      (o) => api.warmup(new api.ExponentialLR(o, { gamma: 0.5 }), { steps: 4, startFactor: 0.2 }),
      [0.2, 0.266667, 0.2],
    ],
  ];
  test.each(late)("%s", (_name, make, expected) => {
    const optimizer = sgd();
    const scheduler = make(optimizer);
    for (let epoch = 0; epoch < 2; epoch++) scheduler.step();
    optimizer.addParamGroup({ lr: 0.2, momentum: 0.9 });
    const seen = expected.map((_, k) => {
      if (k > 0) scheduler.step();
      return Number(optimizer.lrs()[2]!.toPrecision(6));
    });
    expect(seen).toEqual(expected);
  });
});
