import { beforeAll, describe, expect, test } from "vitest";
import * as api from "./index.ts";
import { sgd, TestOptimizer } from "./testing/optimizer.ts";

// What JavaScript lets through: any arguments.
type Any = (...args: unknown[]) => unknown;
type AnyClass = new (...args: unknown[]) => Subject;
type Loose = {
  readonly [Name in keyof typeof api]: (typeof api)[Name] extends (...args: never[]) => unknown ? Any : AnyClass;
};
interface Subject {
  step(...args: unknown[]): void;
  advance(...args: unknown[]): void;
  stateDict(): object;
  loadStateDict(state: unknown): void;
}

const saved = (build: (o: TestOptimizer) => Subject): object => build(sgd()).stateDict();

const {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiStepLR,
  MultiplicativeLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SWALR,
  SequentialLR,
  StepLR,
  WarmupCosine,
  hyperparameter,
  preview,
  warmup,
} = api as unknown as Loose;

const outcome = (act: () => unknown): string => {
  try {
    act();
    return "no error";
  } catch (error) {
    return api.isDescentError(error) ? `[${error.code}] ${error.message}` : String(error);
  }
};

beforeAll(() => api.setWarnings(false));

const constructions: readonly [(o: TestOptimizer) => unknown, string][] = [
  [
    () => new StepLR({}, { stepSize: 3 }),
    `[argument] StepLR: the optimizer has no paramGroups
  optimizer an object
Pass an optimizer, or an object such as { paramGroups: [{ lr: 0.1 }] }, as the first argument.`,
  ],
  [
    () => new StepLR(undefined, { stepSize: 3 }),
    `[argument] StepLR: the optimizer has no paramGroups
  optimizer undefined
Pass an optimizer, or an object such as { paramGroups: [{ lr: 0.1 }] }, as the first argument.`,
  ],
  [
    () => new StepLR({ paramGroups: [{ lr: 1 }, { lr: "0.1" }] }, { stepSize: 3 }),
    `[argument] StepLR: paramGroups[1].lr must be a number
  lr "0.1"
Give each group an lr before building a scheduler.`,
  ],
  [
    (o) => new StepLR(o),
    `[argument] StepLR: takes an options object
  given undefined
Name the options: { stepSize, gamma, lastEpoch }.`,
  ],
  [
    (o) => new StepLR(o, 3),
    `[argument] StepLR: takes an options object
  given 3
Name the options: { stepSize, gamma, lastEpoch }.`,
  ],
  [
    (o) => new StepLR(o, {}),
    `[option] StepLR: option "stepSize" is missing
It must be a number above 0.`,
  ],
  [
    (o) => new StepLR(o, { step_size: 3 }),
    `[option] StepLR: unknown option "step_size"
  options ["stepSize", "gamma", "lastEpoch"]
Did you mean "stepSize"?`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 0 }),
    `[argument] StepLR: stepSize must be a number above 0
  stepSize 0`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3, gamma: -0.1 }),
    `[argument] StepLR: gamma must be a number of at least 0
  gamma -0.1
It defaults to 0.1.`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3, lastEpoch: 2 }),
    `[argument] StepLR: paramGroups[0] has no initialLr
  lastEpoch 2
Load the optimizer's state first, or leave lastEpoch out for a fresh start.`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3, lastEpoch: -2 }),
    `[argument] StepLR: lastEpoch must be an integer of at least -1
  lastEpoch -2
It defaults to -1.`,
  ],
  [
    (o) => new MultiStepLR(o, { milestones: 3 }),
    `[argument] MultiStepLR: milestones must be a list, each a number of at least 0
  milestones 3`,
  ],
  [
    (o) => new MultiStepLR(o, { milestones: [-1] }),
    `[argument] MultiStepLR: milestones must be a list, each a number of at least 0
  milestones [-1]`,
  ],
  [
    (o) => new ConstantLR(o, { factor: 1.1 }),
    `[argument] ConstantLR: factor must be a number from 0 to 1
  factor 1.1
It defaults to 0.3333333333333333.`,
  ],
  [
    (o) => new ConstantLR(o, { totalIters: 0 }),
    `[argument] ConstantLR: totalIters must be a number above 0
  totalIters 0
It defaults to 5.`,
  ],
  [
    (o) => new LinearLR(o, { startFactor: 0 }),
    `[argument] LinearLR: startFactor must be a number above 0 and at most 1
  startFactor 0
It defaults to 0.3333333333333333.`,
  ],
  [
    (o) => new LinearLR(o, { startFactor: 1.1 }),
    `[argument] LinearLR: startFactor must be a number above 0 and at most 1
  startFactor 1.1
It defaults to 0.3333333333333333.`,
  ],
  [
    (o) => new LinearLR(o, { endFactor: -0.1 }),
    `[argument] LinearLR: endFactor must be a number from 0 to 1
  endFactor -0.1
It defaults to 1.`,
  ],
  [
    (o) => new LinearLR(o, { totalIters: -5 }),
    `[argument] LinearLR: totalIters must be a number above 0
  totalIters -5
It defaults to 5.`,
  ],
  [
    (o) => new ExponentialLR(o, { gamma: Number.NaN }),
    `[argument] ExponentialLR: gamma must be a number of at least 0
  gamma NaN`,
  ],
  [
    (o) => new PolynomialLR(o, { totalIters: 0 }),
    `[argument] PolynomialLR: totalIters must be a number above 0
  totalIters 0
It defaults to 5.`,
  ],
  [
    (o) => new CosineAnnealingLR(o, { tMax: 0 }),
    `[argument] CosineAnnealingLR: tMax must be a number above 0
  tMax 0`,
  ],
  [
    (o) => new CosineAnnealingLR(o, { T_max: 5 }),
    `[option] CosineAnnealingLR: unknown option "T_max"
  options ["tMax", "etaMin", "lastEpoch"]
Did you mean "tMax"?`,
  ],
  [
    (o) => new CosineAnnealingWarmRestarts(o, { t0: 1.5 }),
    `[argument] CosineAnnealingWarmRestarts: t0 must be a positive integer
  t0 1.5`,
  ],
  [
    (o) => new CosineAnnealingWarmRestarts(o, { t0: 5, tMult: 0 }),
    `[argument] CosineAnnealingWarmRestarts: tMult must be a positive integer
  tMult 0
It defaults to 1.`,
  ],
  [
    (o) => new LambdaLR(o, [() => 1]),
    `[argument] LambdaLR: lrLambda does not have one entry per parameter group
  entries 1
  groups  2
One entry that is no list serves all groups, also those added later.`,
  ],
  [
    (o) => new LambdaLR(o, { lrLambda: "0.9" }),
    `[argument] LambdaLR: lrLambda must be a function, or a list of such, one per group
  lrLambda "0.9"`,
  ],
  [
    (o) => new LambdaLR(o, () => Number.NaN),
    `[numeric] LambdaLR: lrLambda did not return a finite number
  group  0
  epoch  0
  factor NaN
It is given the epoch and returns a factor of the lr.`,
  ],
  [
    (o) => new MultiplicativeLR(o, [() => 1, 2]),
    `[argument] MultiplicativeLR: lrLambda must be a function, or a list of such, one per group
  lrLambda [a function, 2]`,
  ],
  [
    (o) => new CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, mode: "CATS" }),
    `[argument] CyclicLR: mode must be "triangular", "triangular2" or "exp_range"
  mode "CATS"
It defaults to "triangular".`,
  ],
  [
    (o) => new CyclicLR(o, { baseLr: 0.01 }),
    `[option] CyclicLR: option "maxLr" is missing
It must be a number of at least 0, or a list of such, one per group.`,
  ],
  [
    (o) => new CyclicLR(o, { baseLr: [0.01], maxLr: 0.1 }),
    `[argument] CyclicLR: baseLr does not have one entry per parameter group
  entries 1
  groups  2
One entry that is no list serves all groups, also those added later.`,
  ],
  [
    (o) => new CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 0 }),
    `[argument] CyclicLR: stepSizeUp must be a number above 0
  stepSizeUp 0
It defaults to 2000.`,
  ],
  [
    () => new CyclicLR(new TestOptimizer([{ lr: 1 }]), { baseLr: 0.01, maxLr: 0.1 }),
    `[option] CyclicLR: paramGroups[0] has no momentum to cycle
Use an optimizer with momentum or betas, or pass cycleMomentum: false.`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1 }),
    `[option] OneCycleLR: the length of the cycle is missing
  epochs        undefined
  stepsPerEpoch undefined
Pass totalSteps, or epochs and stepsPerEpoch.`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1, epochs: 10 }),
    `[option] OneCycleLR: the length of the cycle is missing
  epochs        10
  stepsPerEpoch undefined
Pass totalSteps, or epochs and stepsPerEpoch.`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 1.5 }),
    `[argument] OneCycleLR: totalSteps must be a positive integer
  totalSteps 1.5`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 10, pctStart: 1.5 }),
    `[argument] OneCycleLR: pctStart must be a number from 0 to 1
  pctStart 1.5
It defaults to 0.3.`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 10, pctStart: 0.7, threePhase: true }),
    `[argument] OneCycleLR: pctStart leaves no room for threePhase
  pctStart 0.7
The way down takes as long as the way up: pass at most 0.5.`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 10, annealStrategy: "CATS" }),
    `[argument] OneCycleLR: annealStrategy must be "cos" or "linear"
  annealStrategy "CATS"
It defaults to "cos".`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: [0.1, 0.2, 0.3], totalSteps: 10 }),
    `[argument] OneCycleLR: maxLr does not have one entry per parameter group
  entries 3
  groups  2
One entry that is no list serves all groups, also those added later.`,
  ],
  [
    () => new OneCycleLR(new TestOptimizer([{ lr: 1 }]), { maxLr: 0.1, totalSteps: 10 }),
    `[option] OneCycleLR: paramGroups[0] has no momentum to cycle
Use an optimizer with momentum or betas, or pass cycleMomentum: false.`,
  ],
  [
    (o) => new SWALR(o, { swaLr: 0.01, annealEpochs: -1 }),
    `[argument] SWALR: annealEpochs must be an integer of at least 0
  annealEpochs -1
It defaults to 10.`,
  ],
  [
    (o) => new SWALR(o, { swaLr: 0.01, annealStrategy: "CATS" }),
    `[argument] SWALR: annealStrategy must be "cos" or "linear"
  annealStrategy "CATS"
It defaults to "cos".`,
  ],
  [
    (o) => new SWALR(o, { swaLr: [0.01] }),
    `[argument] SWALR: swaLr does not have one entry per parameter group
  entries 1
  groups  2
One entry that is no list serves all groups, also those added later.`,
  ],
  [
    (o) => new ReduceLROnPlateau(o, { factor: 1 }),
    `[argument] ReduceLROnPlateau: factor must be a number of at least 0 and below 1
  factor 1
It defaults to 0.1.`,
  ],
  [
    (o) => new ReduceLROnPlateau(o, { mode: "CATS" }),
    `[argument] ReduceLROnPlateau: mode must be "min" or "max"
  mode "CATS"
It defaults to "min".`,
  ],
  [
    (o) => new ReduceLROnPlateau(o, { thresholdMode: "CATS" }),
    `[argument] ReduceLROnPlateau: thresholdMode must be "rel" or "abs"
  thresholdMode "CATS"
It defaults to "rel".`,
  ],
  [
    (o) => new ReduceLROnPlateau(o, { minLr: [0.1] }),
    `[argument] ReduceLROnPlateau: minLr does not have one entry per parameter group
  entries 1
  groups  2
One entry that is no list serves all groups, also those added later.`,
  ],
  [
    (o) => new SequentialLR(o, { schedulers: [], milestones: [] }),
    `[argument] SequentialLR: needs a list of at least one scheduler
  schedulers []
Build the schedulers first, on one optimizer.`,
  ],
  [
    (o) => new SequentialLR(o, { schedulers: [new ConstantLR(o)], milestones: [3] }),
    `[argument] SequentialLR: milestones must be one fewer than schedulers
  milestones [3]
  schedulers 1
Each scheduler but the first needs the epoch at which it begins.`,
  ],
  [
    (o) =>
      new SequentialLR(o, {
        schedulers: [new ConstantLR(o), new ConstantLR(o), new ConstantLR(o)],
        milestones: [5, 5],
      }),
    `[argument] SequentialLR: milestones must increase
  milestones [5, 5]
  schedulers 3
Sort the schedulers by the epoch at which they begin.`,
  ],
  [
    (o) => new SequentialLR(o, { schedulers: [new ConstantLR(o), new ConstantLR(sgd())], milestones: [5] }),
    `[argument] SequentialLR: schedulers[1] belongs to another optimizer
Build all its schedulers on the same optimizer.`,
  ],
  [
    (o) => new SequentialLR(o, { schedulers: [new ConstantLR(o), {}], milestones: [5] }),
    `[argument] SequentialLR: takes schedulers
  schedulers[1] an object
Pass instances, such as new StepLR(…).`,
  ],
  [
    (o) => new SequentialLR(o, { schedulers: [new ReduceLROnPlateau(o)], milestones: [], lastEpoch: 3 }),
    `[argument] ReduceLROnPlateau.step: the metric is not a number
  metric undefined
Pass the value to watch: step(validationLoss), or preview(…, { metric }). Without it nothing can be replayed.`,
  ],
  [
    (o) => new SequentialLR(o, [new ConstantLR(o)], []),
    `[argument] SequentialLR: takes an options object
  given [an object]
Name the options: { schedulers, milestones, lastEpoch }.`,
  ],
  [
    () => new ChainedScheduler([]),
    `[argument] ChainedScheduler: needs a list of at least one scheduler
  schedulers []
Build the schedulers first, on one optimizer.`,
  ],
  [
    (o) => new ChainedScheduler([new ConstantLR(o), new ConstantLR(sgd())]),
    `[argument] ChainedScheduler: schedulers[1] belongs to another optimizer
Build all its schedulers on the same optimizer.`,
  ],
  [
    (o) => new WarmupCosine(o, { warmupSteps: 10, totalSteps: 10 }),
    `[argument] WarmupCosine: totalSteps must exceed warmupSteps
  warmupSteps 10
  totalSteps  10
Count the warm-up in totalSteps.`,
  ],
  [
    (o) => warmup(new ConstantLR(o), { steps: 0 }),
    `[argument] warmup: steps must be a number above 0
  steps 0`,
  ],
  [
    (o) => warmup(new ConstantLR(o), { step: 5 }),
    `[option] warmup: unknown option "step"
  options ["steps", "startFactor", "lastEpoch"]
Did you mean "steps"?`,
  ],
  [
    (o) => hyperparameter(o, "momentun"),
    `[option] hyperparameter: paramGroups[0] has no number "momentun"
  numbers ["lr", "momentum", "weightDecay"]
Did you mean "momentum"?`,
  ],
  [
    (o) => hyperparameter(o, "betas.0"),
    `[option] hyperparameter: paramGroups[0] has no number "betas.0"
  numbers ["lr", "momentum", "weightDecay"]
Did you mean "lr"?`,
  ],
];

describe("construction", () => {
  test.each(constructions)("%s", (construct, message) => {
    const optimizer = sgd();
    const before = JSON.stringify(optimizer.paramGroups);
    expect(outcome(() => construct(optimizer))).toBe(message);
    const buildsOthersFirst = /[([]\s*new /.test(String(construct));
    if (!buildsOthersFirst) expect(JSON.stringify(optimizer.paramGroups)).toBe(before);
  });
});

const calls: readonly [(o: TestOptimizer) => Subject, (s: Subject) => unknown, string][] = [
  [
    (o) => new MultiplicativeLR(o, () => 0.5),
    (s) => s.advance(2),
    `[argument] MultiplicativeLR: advances by whole epochs only
  amount 2
Use LambdaLR, whose function gives the lr of any epoch.`,
  ],
  [
    (o) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 2 }),
    (s) => s.advance(3),
    `[argument] OneCycleLR: stepped past its end
  totalSteps 2
  step       3
Make totalSteps as large as the number of steps, or stop stepping.`,
  ],
  [
    (o) => new ReduceLROnPlateau(o),
    (s) => s.step(),
    `[argument] ReduceLROnPlateau.step: the metric is not a number
  metric undefined
Pass the value to watch: step(validationLoss), or preview(…, { metric }). Without it nothing can be replayed.`,
  ],
  [
    (o) => new ReduceLROnPlateau(o),
    (s) => s.step("0.5"),
    `[argument] ReduceLROnPlateau.step: the metric is not a number
  metric "0.5"
Pass the value to watch: step(validationLoss), or preview(…, { metric }). Without it nothing can be replayed.`,
  ],
  [
    (o) => new ChainedScheduler([new ReduceLROnPlateau(o)]),
    (s) => s.step(),
    `[argument] ReduceLROnPlateau.step: the metric is not a number
  metric undefined
Pass the value to watch: step(validationLoss), or preview(…, { metric }). Without it nothing can be replayed.`,
  ],
  [
    (o) => new ReduceLROnPlateau(o),
    (s) => preview(s, 3),
    `[argument] ReduceLROnPlateau.step: the metric is not a number
  metric undefined
Pass the value to watch: step(validationLoss), or preview(…, { metric }). Without it nothing can be replayed.`,
  ],
  [
    (o) => new ConstantLR(o),
    (s) => preview(s, -1),
    `[argument] preview: steps must be an integer of at least 0
  steps -1`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.step(Number.NaN),
    `[argument] StepLR.step: epoch must be a finite number
  epoch NaN`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.advance(0),
    `[argument] StepLR.advance: amount must be a number above 0
  amount 0`,
  ],
  [
    (o) => new CosineAnnealingWarmRestarts(o, { t0: 3 }),
    (s) => s.step(-1),
    `[argument] CosineAnnealingWarmRestarts.step: epoch must be a number of at least 0
  epoch -1`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.loadStateDict(null),
    `[state] StepLR.loadStateDict: takes what stateDict() returned
  state null
Was the file read?`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.loadStateDict({}),
    `[state] StepLR.loadStateDict: the state is not one of this class
  missing    ["step_size", "gamma", "base_lrs", "last_epoch", "_last_lr"]
  unexpected []
Load each state into a scheduler of the class that saved it.`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.loadStateDict(saved((o) => new ExponentialLR(o, { gamma: 0.9 }))),
    `[state] StepLR.loadStateDict: the state is not one of this class
  missing    ["step_size"]
  unexpected []
Load each state into a scheduler of the class that saved it.`,
  ],
  [
    (o) => new ExponentialLR(o, { gamma: 0.9 }),
    (s) => s.loadStateDict(saved((o) => new StepLR(o, { stepSize: 3 }))),
    `[state] ExponentialLR.loadStateDict: the state is not one of this class
  missing    []
  unexpected ["step_size"]
Load each state into a scheduler of the class that saved it.`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.loadStateDict({ ...saved((o) => new StepLR(o, { stepSize: 3 })), step_size: 0 }),
    `[state] StepLR.loadStateDict: step_size must be a number above 0
  step_size 0
The file may be damaged.`,
  ],
  [
    (o) => new StepLR(o, { stepSize: 3 }),
    (s) => s.loadStateDict(saved(() => new StepLR(sgd([1, 2, 3]), { stepSize: 3 }))),
    `[state] StepLR.loadStateDict: the state knows more parameter groups than the optimizer has
  saved  3
  groups 2
Add the missing groups to the optimizer first.`,
  ],
  [
    (o) => new ChainedScheduler([new ConstantLR(o)]),
    (s) => s.loadStateDict(saved((o) => new ChainedScheduler([new ConstantLR(o), new ConstantLR(o)]))),
    `[state] ChainedScheduler.loadStateDict: the number of schedulers differs
  saved      2
  schedulers 1
Build the same composition as the one that was saved.`,
  ],
  [
    (o) => new ChainedScheduler([new ConstantLR(o)]),
    (s) => s.loadStateDict(saved((o) => new ChainedScheduler([new ExponentialLR(o, { gamma: 1 })]))),
    `[state] ConstantLR.loadStateDict: the state is not one of this class
  missing    ["factor", "total_iters"]
  unexpected ["gamma"]
Load each state into a scheduler of the class that saved it.`,
  ],
  [
    (o) => new ReduceLROnPlateau(o),
    (s) => s.loadStateDict(saved((o) => new StepLR(o, { stepSize: 3 }))),
    `[state] ReduceLROnPlateau.loadStateDict: the state is not one of this class
  missing    ["factor", "default_min_lr", "min_lrs", "patience", "cooldown", "eps", "mode", "threshold", "threshold_mode", "best", "cooldown_counter", "num_bad_epochs"]
  unexpected ["step_size", "gamma", "base_lrs"]
Load each state into a scheduler of the class that saved it.`,
  ],
  [
    (o) => new SequentialLR(o, { schedulers: [new ConstantLR(o), new ConstantLR(o)], milestones: [5] }),
    (s) => s.loadStateDict({ ...s.stateDict(), _milestones: [] }),
    `[argument] SequentialLR.loadStateDict: milestones must be one fewer than schedulers
  milestones []
  schedulers 2
Each scheduler but the first needs the epoch at which it begins.`,
  ],
];

describe("call", () => {
  test.each(calls)("%s, %s", (build, call, message) => {
    const optimizer = sgd();
    const subject = build(optimizer);
    const before = JSON.stringify([optimizer.paramGroups, subject.stateDict()]);
    expect(outcome(() => call(subject))).toBe(message);
    expect(JSON.stringify([optimizer.paramGroups, subject.stateDict()])).toBe(before);
  });
});
