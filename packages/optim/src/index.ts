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
export { ElementwiseOptimizer } from "./core/elementwise-optimizer.ts";
export {
  type HookHandle,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from "./core/hooks.ts";
export { type Description, Optimizer } from "./core/optimizer.ts";
export type { Given, Option, OptionTable } from "./core/options.ts";
export type { GivenGroup, ParamGroup, Params } from "./core/param-groups.ts";
export { decayed, type Hypers, type Rule, type Switches, type Updated } from "./core/rule.ts";
export { hostScalars, type LoadOptions, type ParamState, type StateDict } from "./core/state-dict.ts";
export { parametersToVector, vectorToParameters } from "./utils/vector.ts";
