import { cpu } from "@descent/backend-cpu";
import { Adam, GradScaler, SGD } from "@descent/optim";
import { type Tensor, tensor } from "@descent/tensor";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  CosineAnnealingLR,
  hyperparameter,
  LinearLR,
  type LRScheduler,
  OneCycleLR,
  StepLR,
  SWALR,
  setWarnings,
  type WarningCode,
} from "./index.ts";

let given: WarningCode[] = [];
beforeAll(() => setWarnings((_message, code) => given.push(code)));
afterAll(() => setWarnings(true));

const parameters = (): Tensor[] => [1, 2].map((x) => tensor([x], { backend: cpu() }));

function backward(params: readonly Tensor[]): void {
  for (const p of params) p.grad = tensor([1], { backend: p.backend });
}

test("the optimizer steps by the lr of the schedule", async () => {
  const [p] = parameters();
  const optimizer = new SGD([p!], { lr: 1 });
  const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: 0.5 });
  for (let epoch = 0; epoch < 3; epoch++) {
    backward([p!]);
    optimizer.step();
    scheduler.step();
  }
  expect(await p!.item()).toBe(1 - 1 - 0.5 - 0.25);
  expect(given).toEqual([]);
});

test("stepping the scheduler first is noticed through the optimizer's hook", () => {
  given = [];
  const optimizer = new SGD(parameters(), { lr: 1 });
  new StepLR(optimizer, { stepSize: 1 }).step();
  expect(given).toEqual(["step-order"]);
});

test("a step that a gradient scaler skipped does not advance a scheduler that was told", () => {
  const [p] = parameters();
  const optimizer = new SGD([p!], { lr: 0.5 });
  const scaler = new GradScaler({ initScale: 4 });
  const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: 0.5 }).skipWhen(() => scaler.skipped(optimizer));
  const lrs = [1, Number.POSITIVE_INFINITY, 1].map((g) => {
    p!.grad = tensor([g], { backend: p!.backend });
    scaler.step(optimizer);
    scaler.update();
    scheduler.step();
    return optimizer.paramGroups[0]!.lr;
  });
  expect(lrs).toEqual([0.25, 0.25, 0.125]);
  expect(scheduler.lastEpoch).toBe(2);
});

const makes: Record<string, (o: Adam) => LRScheduler[]> = {
  OneCycleLR: (o) => [new OneCycleLR(o, { maxLr: [0.1, 0.2], totalSteps: 20 })],
  SWALR: (o) => [new SWALR(o, { swaLr: 0.01, annealEpochs: 6 })],
  "lr and weight decay": (o) => [
    new CosineAnnealingLR(o, { tMax: 10 }),
    new LinearLR(hyperparameter(o, "weightDecay"), { totalIters: 8 }),
  ],
};

test.each(Object.entries(makes))("%s resumes with the optimizer's own state", (_name, make) => {
  const build = () => {
    const groups = parameters().map((p, i) => ({ params: [p], lr: 0.1 * (i + 1) }));
    return new Adam(groups, { weightDecay: 0.1 });
  };
  const numbers = (o: Adam) => o.paramGroups.map(({ params: _, ...rest }) => rest);
  const whole = build();
  const schedulers = make(whole);
  for (let epoch = 0; epoch < 5; epoch++) for (const scheduler of schedulers) scheduler.step();
  for (const first of ["scheduler", "optimizer", "nothing"]) {
    const resumed = build();
    if (first === "optimizer") resumed.loadStateDict(whole.stateDict());
    const again = make(resumed);
    for (const [i, scheduler] of again.entries()) scheduler.loadStateDict(schedulers[i]!.stateDict());
    if (first === "scheduler") resumed.loadStateDict(whole.stateDict());
    expect(numbers(resumed), first).toEqual(numbers(whole));
  }
});
