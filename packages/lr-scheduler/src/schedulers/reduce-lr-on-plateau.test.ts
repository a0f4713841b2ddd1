import { beforeAll, describe, expect, test } from "vitest";
import { setWarnings } from "../core/warnings.ts";
import { sgd } from "../testing/optimizer.ts";
import { metricOf } from "../testing/zoo.ts";
import { ChainedScheduler } from "./chained-scheduler.ts";
import { ExponentialLR } from "./exponential-lr.ts";
import { ReduceLROnPlateau } from "./reduce-lr-on-plateau.ts";
import { SequentialLR } from "./sequential-lr.ts";

beforeAll(() => setWarnings(false));

/** Printed by torch 2.13.0: lr, bad epochs, cooldown, best after each metric. */
const recorded: readonly [metric: number, lr: number, bad: number, cooldown: number, best: number][] = [
  [1, 1, 0, 0, 1],
  [1, 1, 1, 0, 1],
  [1, 1, 2, 0, 1],
  [1, 0.1, 0, 1, 1],
  [1, 0.1, 0, 0, 1],
  [1, 0.1, 1, 0, 1],
  [1, 0.1, 2, 0, 1],
  [1, 0.01, 0, 1, 1],
  [1, 0.01, 0, 0, 1],
  [0.5, 0.01, 0, 0, 0.5],
  [0.5, 0.01, 1, 0, 0.5],
  [0.5, 0.01, 2, 0, 0.5],
  [0.5, 0.001, 0, 1, 0.5],
];

test("counts, cools down and reduces as PyTorch does", () => {
  const optimizer = sgd([1]);
  const scheduler = new ReduceLROnPlateau(optimizer, { patience: 2, cooldown: 1 });
  for (const [metric, lr, bad, cooldown, best] of recorded) {
    scheduler.step(metric);
    expect(optimizer.lrs()[0]).toBeCloseTo(lr, 15);
    expect([scheduler.numBadEpochs, scheduler.cooldownCounter, scheduler.best]).toEqual([bad, cooldown, best]);
  }
});

test("a change of no more than eps is not made", () => {
  const optimizer = sgd([1.05e-8]);
  const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0 });
  for (const metric of [1, 1]) scheduler.step(metric);
  expect(optimizer.lrs()).toEqual([1.05e-8]);
});

test("the last lr is known before the first step", () => {
  expect(new ReduceLROnPlateau(sgd()).getLastLr()).toEqual([0.05, 0.5]);
});

describe("groups that are added later", () => {
  test("with one minLr: are reduced like the others", () => {
    const optimizer = sgd();
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0, minLr: 0.04 });
    optimizer.addParamGroup({ lr: 0.2 });
    for (const metric of [1, 1]) scheduler.step(metric);
    expect(optimizer.lrs()).toEqual([0.04, 0.05, 0.04]);
  });

  test("with a list: need an entry of their own, at the latest when the lr is reduced", () => {
    const optimizer = sgd();
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0, minLr: [0.04, 0.04] });
    optimizer.addParamGroup({ lr: 0.2 });
    scheduler.step(1);
    const before = JSON.stringify([optimizer, scheduler.stateDict()]);
    expect(() => scheduler.step(1)).toThrow("minLr does not have one entry per parameter group");
    expect(JSON.stringify([optimizer, scheduler.stateDict()])).toBe(before);
    scheduler.options.minLr = [0.04, 0.04, 0.1];
    scheduler.step(1);
    expect(optimizer.lrs()).toEqual([0.04, 0.05, 0.1]);
  });
});

describe("among other schedulers", () => {
  test("in a chain: what the others do is kept", () => {
    const optimizer = sgd([1]);
    const plateau = new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 });
    const scheduler = new ChainedScheduler([new ExponentialLR(optimizer, { gamma: 0.9 }), plateau]);
    for (const metric of [1, 1, 1, 1, 1]) scheduler.step(metric);
    expect(optimizer.lrs()[0]).toBeCloseTo(0.9 ** 5 * 0.25, 15);
  });

  test("in a sequence: needs its metric only while it is its turn", () => {
    const optimizer = sgd([1]);
    const schedulers = [
      new ExponentialLR(optimizer, { gamma: 0.5 }),
      new ReduceLROnPlateau(optimizer, { patience: 0 }),
      new ExponentialLR(optimizer, { gamma: 0.5 }),
    ];
    const scheduler = new SequentialLR(optimizer, { schedulers, milestones: [2, 5] });
    const seen = [undefined, undefined, 1, 1, undefined, undefined].map((metric) => {
      scheduler.step(metric);
      return optimizer.lrs()[0];
    });
    expect(seen).toEqual([0.5, 1, 1, 0.1, 1, 0.5]);
  });

  test("a missing metric stops the whole composite, with nothing changed", () => {
    const optimizer = sgd([1]);
    const schedulers = [new ExponentialLR(optimizer, { gamma: 0.9 }), new ReduceLROnPlateau(optimizer)];
    const scheduler = new ChainedScheduler(schedulers);
    scheduler.step(metricOf(0));
    const before = JSON.stringify([optimizer, scheduler.stateDict()]);
    expect(() => scheduler.step()).toThrow("ReduceLROnPlateau.step: the metric is not a number");
    expect(JSON.stringify([optimizer, scheduler.stateDict()])).toBe(before);
  });
});
