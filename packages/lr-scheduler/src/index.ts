export { CompositeScheduler } from "./core/composite-scheduler.ts";
export { CurveScheduler } from "./core/curve-scheduler.ts";
export { DescentError, type ErrorCode, type Facts, isDescentError } from "./core/error.ts";
export { FactorScheduler } from "./core/factor-scheduler.ts";
export type { LrLambda } from "./core/lambda.ts";
export { LRScheduler } from "./core/lr-scheduler.ts";
export type { Option, OptionTable, PerGroup, ResumeOptions, Rule } from "./core/options.ts";
export type { ParamGroup, Schedulable } from "./core/schedulable.ts";
export type { StateDict } from "./core/state.ts";
export { setWarnings, type WarningCode } from "./core/warnings.ts";
export { hyperparameter } from "./hyperparameter.ts";
export { type PlotOptions, plot } from "./plot.ts";
export { type PreviewOptions, preview } from "./preview.ts";
export { ChainedScheduler, type ChainedSchedulerOptions } from "./schedulers/chained-scheduler.ts";
export { ConstantLR, type ConstantLROptions } from "./schedulers/constant-lr.ts";
export { CosineAnnealingLR, type CosineAnnealingLROptions } from "./schedulers/cosine-annealing-lr.ts";
export {
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./schedulers/cosine-annealing-warm-restarts.ts";
export { CyclicLR, type CyclicLROptions } from "./schedulers/cyclic-lr.ts";
export { ExponentialLR, type ExponentialLROptions } from "./schedulers/exponential-lr.ts";
export { InverseSqrt, type InverseSqrtOptions } from "./schedulers/inverse-sqrt.ts";
export { LambdaLR, type LambdaLROptions } from "./schedulers/lambda-lr.ts";
export { LinearLR, type LinearLROptions } from "./schedulers/linear-lr.ts";
export { MultiStepLR, type MultiStepLROptions } from "./schedulers/multi-step-lr.ts";
export { MultiplicativeLR, type MultiplicativeLROptions } from "./schedulers/multiplicative-lr.ts";
export { OneCycleLR, type OneCycleLROptions } from "./schedulers/one-cycle-lr.ts";
export { PolynomialLR, type PolynomialLROptions } from "./schedulers/polynomial-lr.ts";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./schedulers/reduce-lr-on-plateau.ts";
export { REX, type REXOptions } from "./schedulers/rex.ts";
export { SequentialLR, type SequentialLROptions } from "./schedulers/sequential-lr.ts";
export { StepLR, type StepLROptions } from "./schedulers/step-lr.ts";
export { SWALR, type SWALROptions } from "./schedulers/swa-lr.ts";
export { WarmupCosine, type WarmupCosineOptions } from "./schedulers/warmup-cosine.ts";
export { WarmupLinear, type WarmupLinearOptions } from "./schedulers/warmup-linear.ts";
export { WarmupStableDecay, type WarmupStableDecayOptions } from "./schedulers/warmup-stable-decay.ts";
export { type WarmupArguments, warmup } from "./warmup.ts";
