export { Adam, type AdamOptions, AdamW } from "./algorithms/adam.ts";
export { SGD, type SGDOptions } from "./algorithms/sgd.ts";
export {
  ElementwiseOptimizer,
  type Hypers,
  type Rule,
  type Switches,
  type Updated,
} from "./core/elementwise-optimizer.ts";
export type { HookHandle } from "./core/hooks.ts";
export {
  type Description,
  Optimizer,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StepArguments,
  type StepPostHook,
  type StepPreHook,
} from "./core/optimizer.ts";
export type { Given, Option, OptionTable } from "./core/options.ts";
export type { GivenGroup, ParamGroup, Params } from "./core/param-groups.ts";
export { hostScalars, type LoadOptions, type ParamState, type StateDict } from "./core/state-dict.ts";
export { parametersToVector, vectorToParameters } from "./utils/vector.ts";
