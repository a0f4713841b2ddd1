import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import * as api from "./index.ts";
import { type LRScheduler, preview, ReduceLROnPlateau, type Schedulable } from "./index.ts";
import { sgd } from "./testing/optimizer.ts";
import { metricOf } from "./testing/zoo.ts";

type Build = (optimizer: Schedulable) => LRScheduler;

const count = fc.integer({ min: 1, max: 12 });
const factor = fc.double({ min: 0.01, max: 1, noNaN: true });
const lr = fc.double({ min: 1e-6, max: 10, noNaN: true });
const shape = fc.constantFrom("cos" as const, "linear" as const);

const single: fc.Arbitrary<Build> = fc.oneof(
  factor.map(
    (f): Build =>
      (o) =>
        new api.LambdaLR(o, (e) => f ** e),
  ),
  factor.map(
    (f): Build =>
      (o) =>
        new api.MultiplicativeLR(o, (e) => 1 - f / (e + 1)),
  ),
  fc.tuple(count, factor).map(
    ([stepSize, gamma]): Build =>
      (o) =>
        new api.StepLR(o, { stepSize, gamma }),
  ),
  fc.tuple(fc.array(count, { maxLength: 5 }), factor).map(
    ([milestones, gamma]): Build =>
      (o) =>
        new api.MultiStepLR(o, { milestones, gamma }),
  ),
  fc.tuple(factor, count).map(
    ([f, totalIters]): Build =>
      (o) =>
        new api.ConstantLR(o, { factor: f, totalIters }),
  ),
  fc.tuple(factor, factor, count).map(
    ([startFactor, endFactor, totalIters]): Build =>
      (o) => {
        return new api.LinearLR(o, { startFactor, endFactor, totalIters });
      },
  ),
  factor.map(
    (gamma): Build =>
      (o) =>
        new api.ExponentialLR(o, { gamma }),
  ),
  fc.tuple(count, fc.double({ min: 0, max: 3, noNaN: true })).map(
    ([totalIters, power]): Build =>
      (o) =>
        new api.PolynomialLR(o, { totalIters, power }),
  ),
  fc.tuple(count, lr).map(
    ([tMax, etaMin]): Build =>
      (o) =>
        new api.CosineAnnealingLR(o, { tMax, etaMin }),
  ),
  fc.tuple(count, fc.integer({ min: 1, max: 3 }), lr).map(
    ([t0, tMult, etaMin]): Build =>
      (o) =>
        new api.CosineAnnealingWarmRestarts(o, { t0, tMult, etaMin }),
  ),
  fc
    .tuple(lr, lr, count, count, fc.constantFrom("triangular" as const, "triangular2" as const, "exp_range" as const))
    .map(
      ([baseLr, rise, stepSizeUp, stepSizeDown, mode]): Build =>
        (o) => {
          return new api.CyclicLR(o, { baseLr, maxLr: baseLr + rise, stepSizeUp, stepSizeDown, mode, gamma: 0.9 });
        },
    ),
  fc.tuple(lr, fc.double({ min: 0, max: 0.5, noNaN: true }), shape, fc.boolean()).map(
    ([maxLr, pctStart, annealStrategy, threePhase]): Build =>
      (o) => {
        return new api.OneCycleLR(o, { maxLr, totalSteps: 60, pctStart, annealStrategy, threePhase });
      },
  ),
  fc.tuple(lr, fc.integer({ min: 0, max: 12 }), shape).map(
    ([swaLr, annealEpochs, annealStrategy]): Build =>
      (o) =>
        new api.SWALR(o, { swaLr, annealEpochs, annealStrategy }),
  ),
  fc.tuple(factor, fc.integer({ min: 0, max: 3 })).map(
    ([f, patience]): Build =>
      (o) =>
        new ReduceLROnPlateau(o, { factor: f * 0.99, patience, cooldown: 1 }),
  ),
  fc.tuple(count, count, factor, factor).map(
    ([warmupSteps, more, startFactor, endFactor]): Build =>
      (o) => {
        return new api.WarmupCosine(o, { warmupSteps, totalSteps: warmupSteps + more, startFactor, endFactor });
      },
  ),
  count.map(
    (warmupSteps): Build =>
      (o) =>
        new api.InverseSqrt(o, { warmupSteps }),
  ),
  fc.tuple(count, factor).map(
    ([totalSteps, endFactor]): Build =>
      (o) =>
        new api.REX(o, { totalSteps, endFactor }),
  ),
);

/** Any scheduler, chains and sequences of any of them, three levels deep. */
const { any } = fc.letrec<{ any: Build; chain: Build; sequence: Build }>((tie) => ({
  any: fc.oneof({ maxDepth: 2, depthIdentifier: "nesting" }, single, tie("chain"), tie("sequence")),
  chain: fc.array(tie("any"), { minLength: 1, maxLength: 3, depthIdentifier: "nesting" }).map(
    (children): Build =>
      (o) =>
        new api.ChainedScheduler(children.map((child) => child(o))),
  ),
  sequence: fc.array(fc.tuple(tie("any"), count), { minLength: 1, maxLength: 3, depthIdentifier: "nesting" }).map(
    (phases): Build =>
      (o) => {
        let epoch = 0;
        const milestones = phases.slice(1).map(([, length]) => (epoch += length));
        return new api.SequentialLR(o, { schedulers: phases.map(([child]) => child(o)), milestones });
      },
  ),
}));

const takesMetric = (scheduler: LRScheduler) => scheduler.parts().some((part) => part instanceof ReduceLROnPlateau);
const step = (scheduler: LRScheduler, epoch: number) =>
  scheduler.step(takesMetric(scheduler) ? metricOf(epoch) : undefined);

const epochs = 25;
const runs = { numRuns: 500 };

beforeAll(() => api.setWarnings(false));

describe("any composition", () => {
  test("saved and restored at any step, continues equal", () => {
    const broken = fc.integer({ min: 0, max: epochs });
    const loadOptimizer = fc.boolean();
    const edit = fc.option(fc.tuple(fc.integer({ min: 0, max: epochs }), lr));
    fc.assert(
      fc.property(any, broken, loadOptimizer, edit, (build, at, withOptimizer, change) => {
        const whole = sgd();
        const scheduler = build(whole);
        for (let epoch = 0; epoch < at; epoch++) {
          if (change?.[0] === epoch) whole.paramGroups[1]!.lr = change[1];
          step(scheduler, epoch);
        }
        const resumed = sgd();
        const again = build(resumed);
        again.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())));
        if (withOptimizer) resumed.loadStateDict(whole.stateDict());
        for (let epoch = at; epoch < at + epochs; epoch++) {
          expect(resumed.lrs()).toEqual(whole.lrs());
          for (const one of [scheduler, again]) step(one, epoch);
        }
        expect(again.stateDict()).toEqual(scheduler.stateDict());
      }),
      runs,
    );
  });

  test("previewed, gives what the run gives, and touches nothing", () => {
    const already = fc.integer({ min: 0, max: 15 });
    fc.assert(
      fc.property(any, already, (build, before) => {
        const optimizer = sgd();
        const scheduler = build(optimizer);
        for (let epoch = 0; epoch < before; epoch++) step(scheduler, epoch);
        const found = JSON.stringify([optimizer.paramGroups, scheduler.stateDict()]);
        const seen = preview(scheduler, epochs, { metric: (k) => metricOf(before + k) });
        expect(JSON.stringify([optimizer.paramGroups, scheduler.stateDict()])).toBe(found);
        for (let k = 0; k < epochs; k++) {
          step(scheduler, before + k);
          expect(seen[k]).toEqual(optimizer.lrs());
        }
      }),
      runs,
    );
  });

  test("keeps the lr finite and not negative", () => {
    fc.assert(
      fc.property(any, fc.tuple(lr, lr), (build, lrs) => {
        const optimizer = sgd(lrs);
        const scheduler = build(optimizer);
        for (let epoch = 0; epoch < 2 * epochs; epoch++) {
          step(scheduler, epoch);
          for (const value of optimizer.lrs()) expect(value).toBeGreaterThanOrEqual(0);
          for (const value of optimizer.lrs()) expect(value).toBeLessThan(Number.POSITIVE_INFINITY);
        }
      }),
      runs,
    );
  });

  test("whose step fails, is as it was", () => {
    fc.assert(
      fc.property(any, count, (build, before) => {
        const optimizer = sgd();
        const failing = new api.LambdaLR(optimizer, (epoch) => (epoch > before ? Number.NaN : 1));
        const scheduler = new api.ChainedScheduler([build(optimizer), failing]);
        for (let epoch = 0; epoch < before; epoch++) step(scheduler, epoch);
        const found = JSON.stringify([optimizer.paramGroups, scheduler.stateDict()]);
        expect(() => step(scheduler, before)).toThrow("lrLambda did not return a finite number");
        expect(JSON.stringify([optimizer.paramGroups, scheduler.stateDict()])).toBe(found);
      }),
      { numRuns: 100 },
    );
  });
});
