export {
  type Arg,
  type Backend,
  checkDType,
  DescentError,
  type DType,
  isDescentError,
  isFloat,
  type Launch,
  lerp as lerpValues,
  Mask,
  nearest,
  philox,
  philoxValues,
  Trace,
  Value,
} from "@descent/backend";
export { type CreateOptions, empty, tensor } from "./create.ts";
export { applyTraced } from "./differentiate.ts";
export { add, div, exp, gt, mul, neg, sub, to } from "./ops/elementwise.ts";
export {
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from "./ops/avg-pool.ts";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type PerAxis,
} from "./ops/conv.ts";
export { einsum } from "./ops/einsum.ts";
export type { Activation } from "./ops/fused.ts";
export {
  type AddProductOptions,
  addmm,
  addmv,
  baddbmm,
  bmm,
  dot,
  linear,
  matmul,
  mm,
  mv,
  outer,
  tensordot,
  vdot,
} from "./ops/matmul.ts";
export { type MaxPoolOptions, maxPool1d, maxPool2d, maxPool3d } from "./ops/max-pool.ts";
export type { PoolOptions } from "./ops/pool.ts";
export { type Dims, mean, type ReduceOptions, sum, sumToSize } from "./ops/reduce.ts";
export { reshape } from "./ops/view.ts";
export { checkOptions } from "./options.ts";
export { currentRuntime, Runtime, runtimeOf, use, useSync } from "./runtime.ts";
export { type Backward, type BackwardOptions, record, type Tape, type TapeEntry, tapeOf } from "./tape.ts";
export { type Nested, Tensor, type TensorData } from "./tensor.ts";
export { type Prepared, prepareTraced, runTraced, type Traced, type TracedCall } from "./traced.ts";
