import { beforeAll, expect, test } from "vitest";
import type { StateDict } from "../core/state.ts";
import { setWarnings } from "../core/warnings.ts";
import { sgd } from "../testing/optimizer.ts";
import { CyclicLR } from "./cyclic-lr.ts";
import { LambdaLR } from "./lambda-lr.ts";
import { MultiplicativeLR } from "./multiplicative-lr.ts";
import { OneCycleLR } from "./one-cycle-lr.ts";

beforeAll(() => setWarnings(false));

/** A function with a setting of its own, as a callable object is in Python. */
function decay(rate: number): ((epoch: number) => number) & { rate: number } {
  const f = Object.assign((epoch: number) => f.rate ** epoch, { rate });
  return f;
}

test("plain functions are not saved; the settings of others are", () => {
  const scheduler = new LambdaLR(sgd(), [(epoch) => 0.9 ** epoch, decay(0.5)]);
  expect(scheduler.stateDict().lr_lambdas).toEqual([null, { rate: 0.5 }]);
});

test.each([LambdaLR, MultiplicativeLR])("%o gives a loaded setting back to its function", (Scheduler) => {
  const [first, second] = [sgd(), sgd()];
  const scheduler = new Scheduler(first, decay(0.5));
  scheduler.step();
  const other = decay(0.1);
  const copy = new Scheduler(second, other);
  copy.loadStateDict(scheduler.stateDict());
  expect(other.rate).toBe(0.5);
  for (const one of [scheduler, copy]) one.step();
  expect(second.lrs()).toEqual(first.lrs());
});

test("CyclicLR keeps its scale function, and the settings of one", () => {
  const options = { baseLr: 0.1, maxLr: 1, stepSizeUp: 2 };
  const plain = new CyclicLR(sgd(), { ...options, scaleFn: () => 0.5 });
  expect(plain.stateDict()._scale_fn_custom).toBeNull();
  const scheduler = new CyclicLR(sgd(), { ...options, scaleFn: decay(0.5), scaleMode: "iterations" });
  const other = decay(0.1);
  const copy = new CyclicLR(sgd(), { ...options, scaleFn: other });
  copy.loadStateDict(scheduler.stateDict());
  expect(other.rate).toBe(0.5);
  for (const one of [scheduler, copy]) one.step();
  expect(copy.stateDict()).toEqual(scheduler.stateDict());
});

test("OneCycleLR loads states of old versions, which hold a function", () => {
  const scheduler = new OneCycleLR(sgd(), { maxLr: 0.1, totalSteps: 10, annealStrategy: "linear" });
  const { _anneal_func_type, ...old }: StateDict = { ...scheduler.stateDict(), anneal_func: "…" };
  const copy = new OneCycleLR(sgd(), { maxLr: 0.1, totalSteps: 10, annealStrategy: "linear" });
  copy.loadStateDict(old);
  expect(copy.stateDict()).toEqual(scheduler.stateDict());
});
