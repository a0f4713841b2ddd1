export { AnyModule } from "./any-module.ts";
export { type AttentionOptions, scaledDotProductAttention } from "./attention.ts";
export { ModuleDict, ModuleList, ParameterList, Sequential } from "./containers.ts";
export { type Activates, activation, type Fusible, fusible } from "./fusion.ts";
export type { ForwardHook, ForwardPreHook } from "./hooks.ts";
export * as init from "./init.ts";
export {
  type ActivationClass,
  CELU,
  ELU,
  GELU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
} from "./layer/activation.ts";
export { Conv1d, Conv2d, Conv3d, type ConvModuleOptions } from "./layer/conv.ts";
export { Dropout, dropout } from "./layer/dropout.ts";
export { Embedding, type EmbeddingModuleOptions } from "./layer/embedding.ts";
export { Flatten, Unflatten } from "./layer/flatten.ts";
export { Identity, Linear, type LinearOptions } from "./layer/linear.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  MaxPool1d,
  MaxPool2d,
} from "./layer/pool.ts";
export { type CrossEntropyOptions, crossEntropy, type NllOptions, nllLoss } from "./loss/cross-entropy.ts";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  type LossClass,
  MSELoss,
  NLLLoss,
  SmoothL1Loss,
} from "./loss/modules.ts";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type KlDivOptions,
  klDiv,
  type WithLogitsOptions,
} from "./loss/probability.ts";
export type { Reduction, ReductionOptions } from "./loss/reduction.ts";
export {
  type HuberOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from "./loss/regression.ts";
export { Module } from "./module.ts";
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from "./norm/batch-norm.ts";
export {
  GroupNorm,
  type GroupNormOptions,
  type GroupNormParts,
  groupNorm,
  LayerNorm,
  type LayerNormOptions,
  type LayerNormParts,
  layerNorm,
  RMSNorm,
  type RMSNormOptions,
  rmsNorm,
} from "./norm/layer-norm.ts";
export { Buffer, Parameter } from "./parameter.ts";
export type { LoadResult, StateDict } from "./state.ts";
