import * as s from "@descent/lr-scheduler";
import type { Curve, Figure } from "./draw.ts";

interface Optimizer extends s.Schedulable {
  readonly paramGroups: (s.ParamGroup & { lr: number })[];
}

const optimizer = (lr: number): Optimizer => ({ paramGroups: [{ lr, momentum: 0.9 }] });

type Make = (optimizer: Optimizer) => s.LRScheduler;

interface Walk {
  readonly metric?: (step: number) => number;
  /** Points per step, so that jumps look like jumps. */
  readonly fine?: number;
}

/** What `read` finds now and on the way through `steps` steps. */
function follow(
  make: Make,
  steps: number,
  read: (o: Optimizer) => number,
  { metric, fine = 1 }: Walk = {},
): Curve["points"] {
  const o = optimizer(0.1);
  const scheduler = make(o);
  return Array.from({ length: steps * fine + 1 }, (_, k) => {
    if (k > 0) scheduler.advance(1 / fine, metric?.(k / fine));
    return [k / fine, read(o)];
  });
}

const lr = (o: Optimizer): number => o.paramGroups[0]!.lr;
const momentum = (o: Optimizer): number => o.paramGroups[0]!.momentum!;

const curve = (name: string, make: Make, steps = 60, fine = steps < 100 ? 8 : 1): Curve => {
  return { name, points: follow(make, steps, lr, { fine }) };
};
const figure = (unit: "epoch" | "step", ...curves: Curve[]): Figure => ({ unit, curves });

/** Lr above, momentum below. */
function cycled(makes: Readonly<Record<string, Make>>, count: number): Figure {
  const both = (read: (o: Optimizer) => number) =>
    Object.entries(makes).map(([name, make]) => ({ name, points: follow(make, count, read) }));
  return { unit: "step", curves: both(lr), below: { name: "momentum", curves: both(momentum) } };
}

const cyclic = { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 50 };

/** A loss that improves, stalls, and improves again. */
const loss = (epoch: number): number =>
  Math.max(0.4, 1 - epoch / 20) + (epoch > 38 ? -Math.min(0.2, (epoch - 38) / 60) : 0);

function plateau(): Figure {
  const make: Make = (o) => new s.ReduceLROnPlateau(o, { patience: 5, factor: 0.5 });
  const points = Array.from({ length: 61 }, (_, epoch): [number, number] => [epoch, loss(epoch)]);
  return {
    unit: "epoch",
    stepped: true,
    curves: [{ name: "patience: 5, factor: 0.5", points: follow(make, 60, lr, { metric: loss }) }],
    below: { name: "metric", curves: [{ name: "metric", points }] },
  };
}

/** One figure per page of schedulers/. The base lr is 0.1. */
export const pages: Readonly<Record<string, Figure>> = {
  "lambda-lr": figure(
    "epoch",
    curve("0.95 ** epoch", (o) => new s.LambdaLR(o, (epoch) => 0.95 ** epoch)),
    curve("1 / (1 + epoch / 10)", (o) => new s.LambdaLR(o, (epoch) => 1 / (1 + epoch / 10))),
  ),
  "multiplicative-lr": figure(
    "epoch",
    curve("0.95", (o) => new s.MultiplicativeLR(o, () => 0.95), 60, 1),
    curve("1 − 0.3 / epoch", (o) => new s.MultiplicativeLR(o, (epoch) => 1 - 0.3 / epoch), 60, 1),
  ),
  "step-lr": figure(
    "epoch",
    curve("stepSize: 20, gamma: 0.1", (o) => new s.StepLR(o, { stepSize: 20 })),
    curve("stepSize: 10, gamma: 0.5", (o) => new s.StepLR(o, { stepSize: 10, gamma: 0.5 })),
  ),
  "multi-step-lr": figure(
    "epoch",
    curve("milestones: [30, 45], gamma: 0.2", (o) => new s.MultiStepLR(o, { milestones: [30, 45], gamma: 0.2 })),
  ),
  "constant-lr": figure(
    "epoch",
    curve("factor: 0.25, totalIters: 10", (o) => new s.ConstantLR(o, { factor: 0.25, totalIters: 10 })),
  ),
  "linear-lr": figure(
    "epoch",
    curve("startFactor: 0.1, totalIters: 15", (o) => new s.LinearLR(o, { startFactor: 0.1, totalIters: 15 })),
    curve("startFactor: 1, endFactor: 0.2, totalIters: 50", (o) => {
      return new s.LinearLR(o, { startFactor: 1, endFactor: 0.2, totalIters: 50 });
    }),
  ),
  "exponential-lr": figure(
    "epoch",
    curve("gamma: 0.9", (o) => new s.ExponentialLR(o, { gamma: 0.9 })),
    curve("gamma: 0.97", (o) => new s.ExponentialLR(o, { gamma: 0.97 })),
  ),
  "polynomial-lr": figure(
    "epoch",
    curve("power: 1", (o) => new s.PolynomialLR(o, { totalIters: 50 })),
    curve("power: 2", (o) => new s.PolynomialLR(o, { totalIters: 50, power: 2 })),
    curve("power: 0.5", (o) => new s.PolynomialLR(o, { totalIters: 50, power: 0.5 })),
  ),
  "cosine-annealing-lr": figure(
    "epoch",
    curve("tMax: 60", (o) => new s.CosineAnnealingLR(o, { tMax: 60 })),
    curve("tMax: 20, etaMin: 0.01, past its end", (o) => new s.CosineAnnealingLR(o, { tMax: 20, etaMin: 0.01 })),
  ),
  "cosine-annealing-warm-restarts": figure(
    "epoch",
    curve(
      "t0: 10, tMult: 2, etaMin: 0.005",
      (o) => {
        return new s.CosineAnnealingWarmRestarts(o, { t0: 10, tMult: 2, etaMin: 0.005 });
      },
      70,
    ),
  ),
  "cyclic-lr": cycled(
    {
      triangular: (o) => new s.CyclicLR(o, cyclic),
      triangular2: (o) => new s.CyclicLR(o, { ...cyclic, mode: "triangular2" }),
      "exp_range, gamma: 0.995": (o) => new s.CyclicLR(o, { ...cyclic, mode: "exp_range", gamma: 0.995 }),
    },
    400,
  ),
  "one-cycle-lr": cycled(
    {
      cos: (o) => new s.OneCycleLR(o, { maxLr: 0.1, totalSteps: 200 }),
      linear: (o) => new s.OneCycleLR(o, { maxLr: 0.1, totalSteps: 200, annealStrategy: "linear" }),
      "threePhase, linear": (o) => {
        return new s.OneCycleLR(o, { maxLr: 0.1, totalSteps: 200, threePhase: true, annealStrategy: "linear" });
      },
    },
    200,
  ),
  "reduce-lr-on-plateau": plateau(),
  "swa-lr": figure(
    "epoch",
    curve("cos, after 30 epochs of ExponentialLR", (o) => {
      const schedulers = [new s.ExponentialLR(o, { gamma: 0.97 }), new s.SWALR(o, { swaLr: 0.02, annealEpochs: 15 })];
      return new s.SequentialLR(o, { schedulers, milestones: [30] });
    }),
    curve("linear", (o) => {
      const schedulers = [
        new s.ExponentialLR(o, { gamma: 0.97 }),
        new s.SWALR(o, { swaLr: 0.02, annealEpochs: 15, annealStrategy: "linear" }),
      ];
      return new s.SequentialLR(o, { schedulers, milestones: [30] });
    }),
  ),
  "sequential-lr": figure(
    "epoch",
    curve("LinearLR, CosineAnnealingLR, ConstantLR", (o) => {
      const schedulers = [
        new s.LinearLR(o, { startFactor: 0.1, totalIters: 10 }),
        new s.CosineAnnealingLR(o, { tMax: 35 }),
        new s.ConstantLR(o, { factor: 0.1, totalIters: 100 }),
      ];
      return new s.SequentialLR(o, { schedulers, milestones: [10, 45] });
    }),
  ),
  "chained-scheduler": figure(
    "epoch",
    curve("CosineAnnealingLR × StepLR", (o) => {
      return new s.ChainedScheduler([
        new s.CosineAnnealingLR(o, { tMax: 60 }),
        new s.StepLR(o, { stepSize: 20, gamma: 0.5 }),
      ]);
    }),
    curve("CosineAnnealingLR alone", (o) => new s.CosineAnnealingLR(o, { tMax: 60 })),
  ),
  "warmup-cosine": figure(
    "step",
    curve("warmupSteps: 50", (o) => new s.WarmupCosine(o, { warmupSteps: 50, totalSteps: 400 }), 450),
    curve("endFactor: 0.1", (o) => new s.WarmupCosine(o, { warmupSteps: 50, totalSteps: 400, endFactor: 0.1 }), 450),
  ),
  "warmup-linear": figure(
    "step",
    curve("warmupSteps: 50", (o) => new s.WarmupLinear(o, { warmupSteps: 50, totalSteps: 400 }), 450),
    curve("endFactor: 0.1", (o) => new s.WarmupLinear(o, { warmupSteps: 50, totalSteps: 400, endFactor: 0.1 }), 450),
  ),
  "warmup-stable-decay": figure(
    "step",
    ...(["cos", "linear", "sqrt"] as const).map((annealStrategy) =>
      curve(
        annealStrategy,
        (o) => new s.WarmupStableDecay(o, { warmupSteps: 40, stableSteps: 260, decaySteps: 100, annealStrategy }),
        400,
      ),
    ),
  ),
  "inverse-sqrt": figure(
    "step",
    curve("warmupSteps: 50", (o) => new s.InverseSqrt(o, { warmupSteps: 50 }), 400),
    curve("warmupSteps: 50, timescale: 200", (o) => new s.InverseSqrt(o, { warmupSteps: 50, timescale: 200 }), 400),
  ),
  rex: figure(
    "step",
    curve("REX", (o) => new s.REX(o, { totalSteps: 400 }), 400),
    curve("PolynomialLR, power: 1", (o) => new s.PolynomialLR(o, { totalIters: 400 }), 400),
  ),
  warmup: figure(
    "epoch",
    curve("warmup(StepLR)", (o) => s.warmup(new s.StepLR(o, { stepSize: 15, gamma: 0.4 }), { steps: 8 })),
    curve("warmup(CosineAnnealingLR)", (o) => s.warmup(new s.CosineAnnealingLR(o, { tMax: 52 }), { steps: 8 })),
  ),
};
