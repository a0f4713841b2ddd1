export { Adadelta, type AdadeltaOptions } from "./algorithms/adadelta.ts";
export { Adafactor, type AdafactorOptions } from "./algorithms/adafactor.ts";
export { Adagrad, type AdagradOptions } from "./algorithms/adagrad.ts";
export { Adam, type AdamOptions, AdamW } from "./algorithms/adam.ts";
export { Adamax, type AdamaxOptions } from "./algorithms/adamax.ts";
export { ASGD, type ASGDOptions } from "./algorithms/asgd.ts";
export { LBFGS, type LBFGSOptions } from "./algorithms/lbfgs.ts";
export { Muon, type MuonOptions } from "./algorithms/muon.ts";
export { NAdam, type NAdamOptions } from "./algorithms/nadam.ts";
export { RAdam, type RAdamOptions } from "./algorithms/radam.ts";
export { RMSprop, type RMSpropOptions } from "./algorithms/rmsprop.ts";
export { Rprop, type RpropOptions } from "./algorithms/rprop.ts";
export { SGD, type SGDOptions } from "./algorithms/sgd.ts";
export { SparseAdam, type SparseAdamOptions } from "./algorithms/sparse-adam.ts";
export { GradScaler, type GradScalerOptions, type GradScalerState, type Scalable } from "./amp/grad-scaler.ts";
export { GradientAccumulator, type GradientAccumulatorOptions } from "./amp/gradient-accumulator.ts";
export { type AverageFn, type EmaOptions, getEmaAvgFn, getSwaAvgFn } from "./averaging/average-fn.ts";
export type { Averageable } from "./averaging/averageable.ts";
export { AveragedModel, type AveragedModelOptions, type AveragedState } from "./averaging/averaged-model.ts";
export { type UpdateBnOptions, updateBn, type WithBatchNorm } from "./averaging/update-bn.ts";
export { type AdaptiveOptions, clipGradAdaptive_ } from "./clip/clip-grad-adaptive.ts";
export { clipGradNorm_, clipGradsWithNorm_, getTotalNorm, type NormOptions } from "./clip/clip-grad-norm.ts";
export { clipGradNormPerGroup_, type Grouped } from "./clip/clip-grad-norm-per-group.ts";
export { clipGradValue_ } from "./clip/clip-grad-value.ts";
export type { Clipped } from "./clip/gradients.ts";
export { ElementwiseOptimizer } from "./core/elementwise-optimizer.ts";
export {
  type HookHandle,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from "./core/hooks.ts";
export { Optimizer } from "./core/optimizer.ts";
export type { Given, Option, OptionTable } from "./core/options.ts";
export type { GivenGroup, ParamGroup, Params } from "./core/param-groups.ts";
export { decayed, type Hypers, type Rule, type Switches, type Updated } from "./core/rule.ts";
export { type Description, SingleOptimizer } from "./core/single-optimizer.ts";
export { hostScalars, type LoadOptions, type ParamState, type StateDict } from "./core/state-dict.ts";
export type { Match, NamedParameters } from "./utils/named.ts";
export { type NamedGroup, type ParamGroupsOptions, paramGroups } from "./utils/param-groups.ts";
export { type MakePart, Partition, partition } from "./utils/partition.ts";
export { parametersToVector, vectorToParameters } from "./utils/vector.ts";
