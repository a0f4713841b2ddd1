import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  LambdaLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
  setWarnings,
  type WarningCode,
} from "./index.ts";
import { sgd, type TestOptimizer } from "./testing/optimizer.ts";

let given: WarningCode[] = [];

beforeEach(() => {
  given = [];
  setWarnings((_message, code) => given.push(code));
});
afterAll(() => setWarnings(true));

const orders: readonly [string, (o: TestOptimizer) => { step(): void }, WarningCode[]][] = [
  ["StepLR", (o) => new StepLR(o, { stepSize: 3 }), ["step-order"]],
  ["a resumed StepLR", (o) => new StepLR(o, { stepSize: 3, lastEpoch: 10 }), ["step-order"]],
  ["CyclicLR", (o) => new CyclicLR(o, { baseLr: 0.1, maxLr: 1 }), ["step-order"]],
  ["ChainedScheduler", (o) => new ChainedScheduler([new ConstantLR(o)]), ["step-order"]],
  ["SequentialLR", (o) => new SequentialLR(o, { schedulers: [new ConstantLR(o)], milestones: [] }), ["step-order"]],
  // As in PyTorch: their first value is not lost.
  ["CosineAnnealingWarmRestarts", (o) => new CosineAnnealingWarmRestarts(o, { t0: 3 }), []],
  ["ReduceLROnPlateau", (o) => new Numbered(o), []],
];

class Numbered extends ReduceLROnPlateau {
  override step(): void {
    super.step(1);
  }
}

const optimizer = () => {
  const resumable = sgd();
  for (const group of resumable.paramGroups) group.initialLr = 0.01;
  return resumable;
};

describe("the order of steps", () => {
  test.each(orders)("%s before the optimizer warns once", (_name, make, expected) => {
    const o = optimizer();
    const scheduler = make(o);
    expect(given).toEqual([]);
    for (let epoch = 0; epoch < 5; epoch++) {
      scheduler.step();
      o.step();
    }
    expect(given).toEqual(expected);
  });

  test.each(orders)("%s after the optimizer does not warn", (_name, make) => {
    const o = optimizer();
    const scheduler = make(o);
    for (let epoch = 0; epoch < 5; epoch++) {
      o.step();
      scheduler.step();
    }
    expect(given).toEqual([]);
  });

  test("without a hook to look through, nothing is said", () => {
    const scheduler = new StepLR({ paramGroups: [{ lr: 1 }] }, { stepSize: 3 });
    for (let epoch = 0; epoch < 5; epoch++) scheduler.step();
    expect(given).toEqual([]);
  });

  test("a step that the scaler skipped neither counts nor warns", () => {
    const o = sgd();
    let skipped = true;
    const scheduler = new StepLR(o, { stepSize: 1 }).skipWhen(() => skipped);
    scheduler.step();
    expect([scheduler.lastEpoch, given]).toEqual([0, []]);
    skipped = false;
    o.step();
    scheduler.step();
    expect([scheduler.lastEpoch, given]).toEqual([1, []]);
  });
});

test("step(epoch) is deprecated, once, except for warm restarts", () => {
  const o = sgd();
  new CosineAnnealingWarmRestarts(o, { t0: 3 }).step(0.5);
  expect(given).toEqual([]);
  const scheduler = new StepLR(o, { stepSize: 3 });
  o.step();
  for (const epoch of [1, 2, 3]) scheduler.step(epoch);
  new ReduceLROnPlateau(o).step(1, 3);
  expect(given).toEqual(["epoch-argument"]);
});

test("a metric of NaN is not better, and warns once", () => {
  const scheduler = new ReduceLROnPlateau(sgd([1]), { patience: 0 });
  for (const metric of [1, Number.NaN, Number.NaN]) scheduler.step(metric);
  expect([scheduler.getLastLr()[0]?.toFixed(4), scheduler.best]).toEqual(["0.0100", 1]);
  expect(given).toEqual(["nan-metric"]);
});

test("warnings go to the console, to a function, or nowhere", () => {
  const { warn } = console;
  const printed: string[] = [];
  console.warn = (message: string) => printed.push(message);
  try {
    for (const to of [true, false, true]) {
      setWarnings(to);
      for (let time = 0; time < 2; time++) new StepLR(sgd(), { stepSize: 3 }).step(1);
    }
  } finally {
    console.warn = warn;
  }
  const order = /^scheduler\.step\(\) was called before optimizer\.step\(\)/;
  const epoch = /^scheduler\.step\(epoch\) is deprecated/;
  expect(printed).toEqual([epoch, order, epoch, order].map((text) => expect.stringMatching(text)));
});

test("an optimizer keeps no scheduler alive", async () => {
  const o = sgd();
  const reference = new WeakRef(new LambdaLR(o, () => 1));
  o.step();
  // Under a test runner that exposes no collector, there is nothing to see.
  if (!globalThis.gc) return;
  await new Promise((resolve) => setTimeout(resolve));
  globalThis.gc();
  expect(reference.deref()).toBeUndefined();
});
