import { beforeAll, describe, expect, test } from "vitest";
import {
  CosineAnnealingLR,
  CyclicLR,
  ExponentialLR,
  hyperparameter,
  LambdaLR,
  LinearLR,
  MultiStepLR,
  ReduceLROnPlateau,
  SequentialLR,
  setWarnings,
  WarmupCosine,
  warmup,
} from "./index.ts";
import { adam, sgd } from "./testing/optimizer.ts";

beforeAll(() => setWarnings(false));

describe("a schedule of another hyperparameter", () => {
  test("weight decay goes where the schedule says, and the lr stays", () => {
    const optimizer = sgd();
    const scheduler = new LinearLR(hyperparameter(optimizer, "weightDecay"), { startFactor: 0.5, totalIters: 2 });
    const seen = [0, 1, 2].map((epoch) => {
      if (epoch > 0) scheduler.step();
      return optimizer.paramGroups.map(({ weightDecay }) => weightDecay);
    });
    expect(seen).toEqual([
      [0.005, 0.005],
      [0.0075, 0.0075],
      [0.01, 0.01],
    ]);
    expect(optimizer.paramGroups[0]).toEqual({ lr: 0.05, momentum: 0.9, weightDecay: 0.01, initialWeightDecay: 0.01 });
  });

  test("one of the betas, in a list of its own", () => {
    const optimizer = adam([0.1]);
    const betas = optimizer.paramGroups[0]!.betas;
    new LambdaLR(hyperparameter(optimizer, "betas.1"), () => 0.5);
    expect(optimizer.paramGroups[0]!.betas).toEqual([0.9, 0.4995]);
    expect(betas).toEqual([0.9, 0.999]);
  });

  test("any scheduler, composed, beside one for the lr, resumed", () => {
    const build = (optimizer: ReturnType<typeof sgd>) => [
      new CosineAnnealingLR(optimizer, { tMax: 10 }),
      warmup(new ExponentialLR(hyperparameter(optimizer, "momentum"), { gamma: 0.9 }), { steps: 3, startFactor: 0.5 }),
      new MultiStepLR(hyperparameter(optimizer, "weightDecay"), { milestones: [4] }),
    ];
    const optimizer = sgd();
    const whole = build(optimizer);
    for (let epoch = 0; epoch < 5; epoch++) for (const scheduler of whole) scheduler.step();
    for (const load of ["scheduler", "both", "optimizer first"]) {
      const resumed = sgd();
      if (load === "optimizer first") resumed.loadStateDict(optimizer.stateDict());
      const schedulers = build(resumed);
      for (const [i, scheduler] of schedulers.entries()) scheduler.loadStateDict(whole[i]!.stateDict());
      if (load === "both") resumed.loadStateDict(optimizer.stateDict());
      expect(resumed.paramGroups, load).toEqual(optimizer.paramGroups);
    }
  });

  test("the same view for the same name, so that schedulers belong together", () => {
    const optimizer = sgd();
    const [first, second] = [hyperparameter(optimizer, "momentum"), hyperparameter(optimizer, "momentum")];
    const schedulers = [new LinearLR(first), new ExponentialLR(second, { gamma: 0.5 })];
    expect(() => new SequentialLR(first, { schedulers, milestones: [5] })).not.toThrow();
  });

  test("groups that are added later", () => {
    const optimizer = sgd();
    const scheduler = new ExponentialLR(hyperparameter(optimizer, "weightDecay"), { gamma: 0.5 });
    optimizer.addParamGroup({ lr: 1, weightDecay: 0.4 });
    scheduler.step();
    expect(optimizer.paramGroups.map(({ weightDecay }) => weightDecay)).toEqual([0.005, 0.005, 0.2]);
  });

  test("nothing is left behind when a step fails", () => {
    const optimizer = sgd([1]);
    const before = JSON.stringify(optimizer.paramGroups);
    expect(() => new LambdaLR(hyperparameter(optimizer, "weightDecay"), () => Number.NaN)).toThrow();
    expect(JSON.stringify(optimizer.paramGroups)).toBe(before);
  });
});

describe("a schedule by token count", () => {
  const total = 1_000_000;

  test("gives the curve of the tokens seen, however unevenly they come", () => {
    const [byTokens, byStep] = [sgd([1]), sgd([1])];
    const tokens = new WarmupCosine(byTokens, { warmupSteps: 100_000, totalSteps: total });
    const steps = new WarmupCosine(byStep, { warmupSteps: 100, totalSteps: 1000 });
    for (const count of [1, 3, 50, 46, 400, 250, 249, 1, 100]) {
      tokens.advance(count * 1000);
      for (let step = 0; step < count; step++) steps.step();
      expect(byTokens.lrs()[0]).toBeCloseTo(byStep.lrs()[0]!, 14);
    }
    expect(byTokens.lrs()).toEqual([0]);
  });

  test("in a sequence, a milestone that is passed within a step begins the next phase there", () => {
    const [coarse, fine] = [sgd([1]), sgd([1])];
    const build = (optimizer: ReturnType<typeof sgd>) =>
      warmup(new CosineAnnealingLR(optimizer, { tMax: 7000 }), { steps: 3000, startFactor: 0.1 });
    const [a, b] = [build(coarse), build(fine)];
    for (let step = 0; step < 5; step++) {
      a.advance(2000);
      for (let k = 0; k < 20; k++) b.advance(100);
      expect(coarse.lrs()[0]).toBeCloseTo(fine.lrs()[0]!, 14);
    }
  });

  test("with a metric, and with cycles", () => {
    const optimizer = sgd([1]);
    const plateau = new ReduceLROnPlateau(optimizer, { patience: 0 });
    plateau.advance(4096, 1);
    plateau.advance(4096, 2);
    expect([plateau.lastEpoch, optimizer.lrs()]).toEqual([8192, [0.1]]);
    const cyclic = new CyclicLR(optimizer, { baseLr: 0.5, maxLr: 1, stepSizeUp: 1000 });
    cyclic.advance(2500);
    expect(optimizer.lrs()).toEqual([0.75]);
  });
});
