import type { LRScheduler, ResumeOptions, Schedulable } from "../index.ts";
import * as api from "../index.ts";

/** Builds a scheduler; `resume` holds lastEpoch where the run is resumed without a saved scheduler. */
export type Make = (optimizer: Schedulable, resume?: ResumeOptions) => LRScheduler;

/** One of each scheduler, with everything that happens within a dozen epochs. */
export const singles: Readonly<Record<string, Make>> = {
  LambdaLR: (o, resume) => new api.LambdaLR(o, { lrLambda: (e) => 0.9 ** e, ...resume }),
  MultiplicativeLR: (o, resume) => new api.MultiplicativeLR(o, { lrLambda: (e) => 1 - 0.3 / (e + 1), ...resume }),
  StepLR: (o, resume) => new api.StepLR(o, { stepSize: 3, ...resume }),
  MultiStepLR: (o, resume) => new api.MultiStepLR(o, { milestones: [2, 4, 4, 9], ...resume }),
  ConstantLR: (o, resume) => new api.ConstantLR(o, { ...resume }),
  LinearLR: (o, resume) => new api.LinearLR(o, { ...resume }),
  ExponentialLR: (o, resume) => new api.ExponentialLR(o, { gamma: 0.9, ...resume }),
  PolynomialLR: (o, resume) => new api.PolynomialLR(o, { totalIters: 7, power: 0.9, ...resume }),
  CosineAnnealingLR: (o, resume) => new api.CosineAnnealingLR(o, { tMax: 5, etaMin: 0.001, ...resume }),
  CosineAnnealingWarmRestarts: (o, resume) => new api.CosineAnnealingWarmRestarts(o, { t0: 3, tMult: 2, ...resume }),
  CyclicLR: (o, resume) =>
    new api.CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 3, mode: "triangular2", ...resume }),
  OneCycleLR: (o, resume) => new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 30, ...resume }),
  SWALR: (o, resume) => new api.SWALR(o, { swaLr: 0.01, annealEpochs: 5, ...resume }),
  WarmupCosine: (o, resume) => new api.WarmupCosine(o, { warmupSteps: 4, totalSteps: 10, ...resume }),
  WarmupLinear: (o, resume) => new api.WarmupLinear(o, { warmupSteps: 4, totalSteps: 10, endFactor: 0.1, ...resume }),
  WarmupStableDecay: (o, resume) =>
    new api.WarmupStableDecay(o, { warmupSteps: 2, stableSteps: 4, decaySteps: 4, ...resume }),
  InverseSqrt: (o, resume) => new api.InverseSqrt(o, { warmupSteps: 3, startFactor: 0.1, ...resume }),
  REX: (o, resume) => new api.REX(o, { totalSteps: 10, endFactor: 0.01, ...resume }),
};

export const composites: Readonly<Record<string, Make>> = {
  "warmup, cosine": (o, resume) => api.warmup(new api.CosineAnnealingLR(o, { tMax: 6 }), { steps: 4, ...resume }),
  "warmup, one cycle": (o, resume) =>
    api.warmup(new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 40 }), { steps: 4, ...resume }),
  "sequence of three": (o, resume) =>
    new api.SequentialLR(o, {
      schedulers: [
        new api.LinearLR(o, { totalIters: 3 }),
        new api.MultiplicativeLR(o, () => 0.7),
        new api.SWALR(o, { swaLr: 0.003, annealEpochs: 4 }),
      ],
      milestones: [3, 7],
      ...resume,
    }),
  "chain of three": (o, resume) =>
    new api.ChainedScheduler(
      [
        new api.CosineAnnealingLR(o, { tMax: 5 }),
        new api.StepLR(o, { stepSize: 4, gamma: 0.3 }),
        new api.ConstantLR(o, { factor: 0.2, totalIters: 6 }),
      ],
      resume,
    ),
  "chain on an absolute curve": (o, resume) =>
    new api.ChainedScheduler(
      [new api.CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 3 }), new api.ExponentialLR(o, { gamma: 0.9 })],
      resume,
    ),
  "chain in a sequence": (o, resume) =>
    new api.SequentialLR(o, {
      schedulers: [
        new api.LinearLR(o, { startFactor: 0.1, totalIters: 4 }),
        new api.ChainedScheduler([
          new api.CosineAnnealingLR(o, { tMax: 6 }),
          new api.MultiplicativeLR(o, (e) => 1 - 0.1 / e),
        ]),
      ],
      milestones: [4],
      ...resume,
    }),
  "sequence in a chain": (o, resume) =>
    new api.ChainedScheduler(
      [
        api.warmup(new api.CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 2 }), { steps: 3 }),
        new api.ExponentialLR(o, { gamma: 0.95 }),
      ],
      resume,
    ),
  "sequence in a sequence in a chain": (o, resume) =>
    new api.ChainedScheduler(
      [
        new api.SequentialLR(o, {
          schedulers: [
            new api.SequentialLR(o, {
              schedulers: [new api.LinearLR(o, { totalIters: 2 }), new api.PolynomialLR(o, { totalIters: 9 })],
              milestones: [2],
            }),
            new api.SequentialLR(o, {
              schedulers: [new api.ExponentialLR(o, { gamma: 0.8 }), new api.LambdaLR(o, (e) => 1 / (e + 1))],
              milestones: [3],
            }),
          ],
          milestones: [5],
        }),
        new api.StepLR(o, { stepSize: 6, gamma: 0.5 }),
      ],
      resume,
    ),
};

/** With a ReduceLROnPlateau inside: they take a metric and cannot be replayed. */
export const plateaus: Readonly<Record<string, (optimizer: Schedulable) => LRScheduler>> = {
  ReduceLROnPlateau: (o) => new api.ReduceLROnPlateau(o, { patience: 1, factor: 0.5, cooldown: 1 }),
  "warmup, plateau": (o) =>
    api.warmup(new api.ReduceLROnPlateau(o, { patience: 0, factor: 0.5, minLr: [0.01, 0.02] }), { steps: 4 }),
  "plateau in a chain": (o) =>
    new api.ChainedScheduler([
      new api.CosineAnnealingLR(o, { tMax: 20, etaMin: 0.001 }),
      new api.ReduceLROnPlateau(o, { patience: 1, mode: "max" }),
    ]),
};

/** A metric with ups and downs. */
export const metricOf = (step: number): number => Math.sin(step) + 3 / (step + 1);
