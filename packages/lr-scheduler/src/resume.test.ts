import { beforeAll, describe, expect, test } from "vitest";
import { type LRScheduler, ReduceLROnPlateau, type StateDict, setWarnings } from "./index.ts";
import { type Group, sgd, type TestOptimizer } from "./testing/optimizer.ts";
import { composites, type Make, metricOf, plateaus, singles } from "./testing/zoo.ts";

beforeAll(() => setWarnings(false));

interface Saved {
  readonly epoch: number;
  readonly optimizer: Group[];
  readonly scheduler: StateDict;
}

interface Run {
  readonly optimizer: TestOptimizer;
  readonly scheduler: LRScheduler;
}

const file = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const begin = (make: Make): Run => {
  const optimizer = sgd();
  return { optimizer, scheduler: make(optimizer) };
};

/** The columns of the resume matrix: the ways in which people put a run together again. */
const columns: Readonly<Record<string, (make: Make, saved: Saved) => Run>> = {
  "A: both built, scheduler loaded, optimizer loaded": (make, saved) => {
    const run = begin(make);
    run.scheduler.loadStateDict(saved.scheduler);
    run.optimizer.loadStateDict(saved.optimizer);
    return run;
  },
  "A: both built, optimizer loaded, scheduler loaded": (make, saved) => {
    const run = begin(make);
    run.optimizer.loadStateDict(saved.optimizer);
    run.scheduler.loadStateDict(saved.scheduler);
    return run;
  },
  "B: optimizer loaded, scheduler built and loaded": (make, saved) => {
    const optimizer = sgd();
    optimizer.loadStateDict(saved.optimizer);
    const scheduler = make(optimizer);
    scheduler.loadStateDict(saved.scheduler);
    return { optimizer, scheduler };
  },
  "C: optimizer loaded, scheduler built with lastEpoch": (make, saved) => {
    const optimizer = sgd();
    optimizer.loadStateDict(saved.optimizer);
    return { optimizer, scheduler: make(optimizer, { lastEpoch: saved.epoch - 1 }) };
  },
  "D: scheduler loaded, optimizer not": (make, saved) => {
    const run = begin(make);
    run.scheduler.loadStateDict(saved.scheduler);
    return run;
  },
};

const epochs = 12;
const compared = 12;

const step = ({ scheduler }: Run, epoch: number) => scheduler.step(usesMetric(scheduler) ? metricOf(epoch) : undefined);
const usesMetric = (scheduler: LRScheduler) => scheduler.parts().some((part) => part instanceof ReduceLROnPlateau);
const values = ({ optimizer, scheduler }: Run) => ({
  lr: optimizer.lrs(),
  last: scheduler.getLastLr(),
  momentum: optimizer.momenta(),
});

const rows = [
  ...Object.entries({ ...singles, ...composites }).map(([name, make]) => ({ name, make, ways: Object.keys(columns) })),
  ...Object.entries(plateaus).map(([name, make]) => ({
    name,
    make,
    ways: Object.keys(columns).filter((way) => !way.startsWith("C")),
  })),
];

describe.each(rows)("$name resumes bit for bit", ({ make, ways }) => {
  const whole = begin(make);
  const trace = [values(whole)];
  const saves: Saved[] = [];
  for (let epoch = 0; epoch < epochs + compared; epoch++) {
    saves.push(file({ epoch, optimizer: whole.optimizer.stateDict(), scheduler: whole.scheduler.stateDict() }));
    step(whole, epoch);
    trace.push(values(whole));
  }

  test.each(ways)("%s", (way) => {
    // Before the first epoch there is no last one to name.
    for (const saved of saves.slice(way.startsWith("C") ? 1 : 0, epochs + 1)) {
      const run = columns[way]!(make, saved);
      for (let epoch = saved.epoch; epoch < saved.epoch + compared; epoch++) {
        expect(values(run), `broken off after ${saved.epoch}, seen after ${epoch}`).toEqual(trace[epoch]);
        step(run, epoch);
      }
    }
  });
});

test("a scheduler resumed by lastEpoch fast-forwards an optimizer that was not loaded", () => {
  for (const [name, make] of Object.entries(singles)) {
    const whole = begin(make);
    for (let epoch = 0; epoch < 6; epoch++) whole.scheduler.step();
    const optimizer = sgd();
    // OneCycleLR and CyclicLR begin elsewhere than at the optimizer's lr.
    for (const [i, group] of optimizer.paramGroups.entries()) {
      group.lr = group.initialLr = whole.optimizer.paramGroups[i]!.initialLr!;
    }
    make(optimizer, { lastEpoch: 5 });
    expect(optimizer.lrs(), name).toEqual(whole.optimizer.lrs());
  }
});

test("children of a chain may be resumed one by one", () => {
  const chain = (o: TestOptimizer, lastEpoch: number) => [
    singles.CosineAnnealingLR!(o, { lastEpoch }),
    singles.ConstantLR!(o, { lastEpoch }),
    singles.LambdaLR!(o, { lastEpoch }),
    singles.StepLR!(o, { lastEpoch }),
  ];
  const optimizer = sgd();
  const whole = chain(optimizer, -1);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const resumed = sgd();
    resumed.loadStateDict(optimizer.stateDict());
    const schedulers = chain(resumed, epoch - 1);
    expect(resumed.lrs()).toEqual(optimizer.lrs());
    for (const scheduler of [...whole, ...schedulers]) scheduler.step();
    expect(resumed.lrs()).toEqual(optimizer.lrs());
  }
});

test("an edit of the lr survives, in whatever order states are loaded", () => {
  for (const order of [
    "A: both built, scheduler loaded, optimizer loaded",
    "A: both built, optimizer loaded, scheduler loaded",
  ]) {
    const whole = begin(singles.CosineAnnealingLR!);
    for (let epoch = 0; epoch < 3; epoch++) whole.scheduler.step();
    whole.optimizer.paramGroups[0]!.lr = 0.007;
    const saved = { epoch: 3, optimizer: whole.optimizer.stateDict(), scheduler: whole.scheduler.stateDict() };
    const run = columns[order]!(singles.CosineAnnealingLR!, saved);
    for (let epoch = 3; epoch < 9; epoch++) {
      expect(run.optimizer.lrs()).toEqual(whole.optimizer.lrs());
      for (const { scheduler } of [whole, run]) scheduler.step();
    }
  }
});

test("two schedulers on one optimizer resume, loaded in the order in which they are stepped", () => {
  const both = (o: TestOptimizer) => [singles.LinearLR!(o), singles.StepLR!(o), singles.ExponentialLR!(o)];
  const optimizer = sgd();
  const whole = both(optimizer);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const states = file(whole.map((scheduler) => scheduler.stateDict()));
    const resumed = sgd();
    const schedulers = both(resumed);
    for (const [i, scheduler] of schedulers.entries()) scheduler.loadStateDict(states[i]!);
    expect(resumed.lrs()).toEqual(optimizer.lrs());
    for (const scheduler of [...whole, ...schedulers]) scheduler.step();
    expect(resumed.lrs()).toEqual(optimizer.lrs());
  }
});
