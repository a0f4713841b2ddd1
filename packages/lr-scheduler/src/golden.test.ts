import { describe, expect, test } from "vitest";
import type { LRScheduler } from "./index.ts";
import * as api from "./index.ts";
import { adam, sgd, type TestOptimizer } from "./testing/optimizer.ts";

type Make = (optimizer: TestOptimizer) => LRScheduler;

/** Lrs printed by torch 2.13.0 for a base lr of 0.05, each read before the step it is used in, to eight digits. */
const lrs: readonly [string, Make, number[]][] = [
  ["LambdaLR", (o) => new api.LambdaLR(o, (e) => 0.95 ** e), [0.05, 0.0475, 0.045125, 0.04286875, 0.040725312]],
  ["MultiplicativeLR", (o) => new api.MultiplicativeLR(o, () => 0.9), [0.05, 0.045, 0.0405, 0.03645, 0.032805]],
  [
    "StepLR",
    (o) => new api.StepLR(o, { stepSize: 3 }),
    [0.05, 0.05, 0.05, 0.005, 0.005, 0.005, 0.0005, 0.0005, 0.0005, 5e-5, 5e-5, 5e-5],
  ],
  [
    "MultiStepLR",
    (o) => new api.MultiStepLR(o, { milestones: [2, 5, 5, 9] }),
    [0.05, 0.05, 0.005, 0.005, 0.005, 5e-5, 5e-5, 5e-5, 5e-5, 5e-6, 5e-6, 5e-6],
  ],
  [
    "ConstantLR",
    (o) => new api.ConstantLR(o),
    [0.016666667, 0.016666667, 0.016666667, 0.016666667, 0.016666667, 0.05, 0.05, 0.05],
  ],
  [
    "LinearLR",
    (o) => new api.LinearLR(o),
    [0.016666667, 0.023333333, 0.03, 0.036666667, 0.043333333, 0.05, 0.05, 0.05],
  ],
  [
    "LinearLR down to 0",
    (o) => new api.LinearLR(o, { startFactor: 1, endFactor: 0, totalIters: 4 }),
    [0.05, 0.0375, 0.025, 0.0125, 0, 0, 0],
  ],
  ["ExponentialLR", (o) => new api.ExponentialLR(o, { gamma: 0.9 }), [0.05, 0.045, 0.0405, 0.03645, 0.032805]],
  ["PolynomialLR", (o) => new api.PolynomialLR(o), [0.05, 0.04, 0.03, 0.02, 0.01, 0, 0, 0]],
  [
    "PolynomialLR, power 2",
    (o) => new api.PolynomialLR(o, { totalIters: 4, power: 2 }),
    [0.05, 0.028125, 0.0125, 0.003125, 0, 0],
  ],
  [
    "CosineAnnealingLR, past tMax",
    (o) => new api.CosineAnnealingLR(o, { tMax: 5 }),
    [
      0.05, 0.045225425, 0.032725425, 0.017274575, 0.0047745751, 0, 0.0047745751, 0.017274575, 0.032725425, 0.045225425,
      0.05, 0.045225425, 0.032725425, 0.017274575,
    ],
  ],
  [
    "CosineAnnealingLR, etaMin",
    (o) => new api.CosineAnnealingLR(o, { tMax: 5, etaMin: 0.01 }),
    [
      0.05, 0.04618034, 0.03618034, 0.02381966, 0.01381966, 0.01, 0.01381966, 0.02381966, 0.03618034, 0.04618034, 0.05,
      0.04618034,
    ],
  ],
  [
    "CosineAnnealingLR, etaMin above the lr",
    (o) => new api.CosineAnnealingLR(o, { tMax: 5, etaMin: 0.1 }),
    [0.05, 0.054774575, 0.067274575, 0.082725425, 0.095225425, 0.1, 0.095225425, 0.082725425],
  ],
  [
    "CosineAnnealingWarmRestarts",
    (o) => new api.CosineAnnealingWarmRestarts(o, { t0: 4, tMult: 2 }),
    [
      0.05, 0.04267767, 0.025, 0.0073223305, 0.05, 0.048096988, 0.04267767, 0.034567086, 0.025, 0.015432914,
      0.0073223305, 0.0019030117, 0.05, 0.049519632,
    ],
  ],
  [
    "SequentialLR, const to exp",
    (o) =>
      new api.SequentialLR(o, {
        schedulers: [new api.ConstantLR(o, { factor: 0.1, totalIters: 3 }), new api.ExponentialLR(o, { gamma: 0.9 })],
        milestones: [3],
      }),
    [0.005, 0.005, 0.005, 0.05, 0.045, 0.0405, 0.03645, 0.032805],
  ],
  [
    "SequentialLR, warm-up to cosine",
    (o) =>
      new api.SequentialLR(o, {
        schedulers: [
          new api.LinearLR(o, { startFactor: 0.1, totalIters: 3 }),
          new api.CosineAnnealingLR(o, { tMax: 5 }),
        ],
        milestones: [3],
      }),
    [0.005, 0.02, 0.035, 0.05, 0.045225425, 0.032725425, 0.017274575, 0.0047745751, 0, 0.0047745751],
  ],
  [
    "SequentialLR, milestone 0",
    (o) =>
      new api.SequentialLR(o, {
        schedulers: [new api.ConstantLR(o, { factor: 0.1, totalIters: 3 }), new api.ExponentialLR(o, { gamma: 0.9 })],
        milestones: [0],
      }),
    [0.05, 0.045, 0.0405, 0.03645, 0.032805],
  ],
  [
    "SequentialLR of three",
    (o) =>
      new api.SequentialLR(o, {
        schedulers: [
          new api.ConstantLR(o, { factor: 0.1, totalIters: 3 }),
          new api.ExponentialLR(o, { gamma: 0.8 }),
          new api.StepLR(o, { stepSize: 2 }),
        ],
        milestones: [3, 6],
      }),
    [0.005, 0.005, 0.005, 0.05, 0.04, 0.032, 0.05, 0.05, 0.005, 0.005, 0.0005, 0.0005],
  ],
  [
    "ChainedScheduler",
    (o) =>
      new api.ChainedScheduler([
        new api.ConstantLR(o, { factor: 0.1, totalIters: 4 }),
        new api.ExponentialLR(o, { gamma: 0.9 }),
      ]),
    [0.005, 0.0045, 0.00405, 0.003645, 0.032805, 0.0295245, 0.02657205],
  ],
  [
    "SWALR",
    (o) => new api.SWALR(o, { swaLr: 0.01, annealEpochs: 5 }),
    [0.05, 0.04618034, 0.03618034, 0.02381966, 0.01381966, 0.01, 0.01, 0.01],
  ],
  [
    "SWALR, linear",
    (o) => new api.SWALR(o, { swaLr: 0.01, annealEpochs: 4, annealStrategy: "linear" }),
    [0.05, 0.04, 0.03, 0.02, 0.01, 0.01, 0.01],
  ],
  ["SWALR, at once", (o) => new api.SWALR(o, { swaLr: 0.01, annealEpochs: 0 }), [0.01, 0.01, 0.01, 0.01]],
  // Not in PyTorch: worked out by hand.
  [
    "WarmupCosine",
    (o) => new api.WarmupCosine(o, { warmupSteps: 2, totalSteps: 6, endFactor: 0.1 }),
    [0, 0.025, 0.05, 0.043409903, 0.0275, 0.011590097, 0.005, 0.005],
  ],
  [
    "WarmupLinear",
    (o) => new api.WarmupLinear(o, { warmupSteps: 2, totalSteps: 6, startFactor: 0.2 }),
    [0.01, 0.03, 0.05, 0.0375, 0.025, 0.0125, 0, 0],
  ],
  [
    "WarmupStableDecay",
    (o) => new api.WarmupStableDecay(o, { warmupSteps: 2, stableSteps: 2, decaySteps: 4, annealStrategy: "sqrt" }),
    [0, 0.025, 0.05, 0.05, 0.05, 0.025, 0.014644661, 0.0066987298, 0, 0],
  ],
  [
    "InverseSqrt",
    (o) => new api.InverseSqrt(o, { warmupSteps: 4 }),
    [0, 0.0125, 0.025, 0.0375, 0.05, 0.04472136, 0.040824829, 0.037796447, 0.035355339],
  ],
  [
    "InverseSqrt without warm-up",
    (o) => new api.InverseSqrt(o, { warmupSteps: 0, timescale: 3 }),
    [0.05, 0.04330127, 0.038729833, 0.035355339],
  ],
  ["REX", (o) => new api.REX(o, { totalSteps: 4 }), [0.05, 0.042857143, 0.033333333, 0.02, 0, 0]],
  [
    "warmup",
    (o) => api.warmup(new api.ExponentialLR(o, { gamma: 0.5 }), { steps: 2, startFactor: 0.5 }),
    [0.025, 0.0375, 0.05, 0.025, 0.0125],
  ],
];

describe("lr", () => {
  test.each(lrs)("%s", (_name, make, expected) => {
    const optimizer = sgd([0.05]);
    const scheduler = make(optimizer);
    const seen = expected.map((_, epoch) => {
      if (epoch > 0) scheduler.step();
      return Number(optimizer.lrs()[0]!.toPrecision(8));
    });
    expect(seen).toEqual(expected);
  });
});

const cyclic = { baseLr: 0.01, maxLr: 0.1 };

const momenta: readonly [string, () => TestOptimizer, Make, number[], number[]][] = [
  [
    "CyclicLR",
    sgd,
    (o) => new api.CyclicLR(o, { ...cyclic, stepSizeUp: 4 }),
    [0.01, 0.0325, 0.055, 0.0775, 0.1, 0.0775, 0.055, 0.0325, 0.01, 0.0325, 0.055, 0.0775],
    [0.9, 0.875, 0.85, 0.825, 0.8, 0.825, 0.85, 0.875, 0.9, 0.875, 0.85, 0.825],
  ],
  [
    "CyclicLR, triangular2",
    sgd,
    (o) => new api.CyclicLR(o, { ...cyclic, stepSizeUp: 2, mode: "triangular2" }),
    [0.01, 0.055, 0.1, 0.055, 0.01, 0.0325, 0.055, 0.0325, 0.01, 0.02125, 0.0325, 0.02125],
    [0.9, 0.85, 0.8, 0.85, 0.9, 0.875, 0.85, 0.875, 0.9, 0.8875, 0.875, 0.8875],
  ],
  [
    "CyclicLR, exp_range",
    sgd,
    (o) => new api.CyclicLR(o, { ...cyclic, stepSizeUp: 2, mode: "exp_range", gamma: 0.9 }),
    [0.01, 0.0505, 0.0829, 0.042805, 0.01, 0.03657205, 0.05782969, 0.031523361],
    [0.9, 0.855, 0.819, 0.86355, 0.9, 0.870476, 0.846856, 0.876085],
  ],
  [
    "OneCycleLR",
    sgd,
    (o) => new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 10 }),
    [0.004, 0.052, 0.1, 0.095048463, 0.081174565, 0.061126202, 0.038874198, 0.018825835, 0.0049519368, 4e-7],
    [0.95, 0.9, 0.85, 0.854952, 0.868826, 0.888874, 0.911126, 0.931174, 0.945048, 0.95],
  ],
  [
    "OneCycleLR, linear",
    sgd,
    (o) => new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 10, annealStrategy: "linear" }),
    [0.004, 0.052, 0.1, 0.085714343, 0.071428686, 0.057143029, 0.042857371, 0.028571714, 0.014286057, 4e-7],
    [0.95, 0.9, 0.85, 0.864286, 0.878571, 0.892857, 0.907143, 0.921429, 0.935714, 0.95],
  ],
  [
    "OneCycleLR, three phases",
    sgd,
    (o) => new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 10, pctStart: 0.4, threePhase: true }),
    [0.004, 0.028, 0.076, 0.1, 0.076, 0.028, 0.004, 0.0030001, 0.0010003, 4e-7],
    [0.95, 0.925, 0.875, 0.85, 0.875, 0.925, 0.95, 0.95, 0.95, 0.95],
  ],
  [
    "OneCycleLR with betas",
    adam,
    (o) => new api.OneCycleLR(o, { maxLr: 0.1, totalSteps: 5 }),
    [0.004, 0.095048463, 0.061126202, 0.018825835, 4e-7],
    [0.95, 0.854952, 0.888874, 0.931174, 0.95],
  ],
];

describe("lr and momentum", () => {
  test.each(momenta)("%s", (_name, optimizerOf, make, expectedLrs, expectedMomenta) => {
    const optimizer = optimizerOf();
    const scheduler = make(optimizer);
    const seen = expectedLrs.map((_, epoch) => {
      if (epoch > 0) scheduler.step();
      return [Number(optimizer.lrs()[0]!.toPrecision(8)), Number(optimizer.momenta()[0]!.toPrecision(6))];
    });
    expect(seen.map(([lr]) => lr)).toEqual(expectedLrs);
    expect(seen.map(([, momentum]) => momentum)).toEqual(expectedMomenta);
  });
});
