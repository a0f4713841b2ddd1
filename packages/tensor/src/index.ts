export {
  type Arg,
  type Backend,
  checkDType,
  DescentError,
  type DType,
  gradients,
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
export {
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from "./ops/avg-pool.ts";
export { clone, contiguous } from "./ops/contiguous.ts";
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
export { add, div, exp, gt, mul, neg, sub, to } from "./ops/elementwise.ts";
export { argmax, argmin, max, min } from "./ops/extrema.ts";
export type { Activation } from "./ops/fused.ts";
export { type EmbeddingOptions, embedding, gather, indexSelect, takeAlongDim } from "./ops/gather.ts";
export { cat, flip, meshgrid, repeat, repeatInterleave, roll, stack, tile } from "./ops/join.ts";
export { maskedFill, maskedSelect, maskedSelectSync, nonzero, nonzeroSync } from "./ops/masked.ts";
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
export { type MomentOptions, norm, std, stdMean, var, varMean } from "./ops/moments.ts";
export { argsort, kthvalue, median, type SortOptions, sort, type TopkOptions, topk } from "./ops/order.ts";
export type { PoolOptions } from "./ops/pool.ts";
export { prod } from "./ops/prod.ts";
export {
  all,
  amax,
  amin,
  any,
  countNonzero,
  type Dims,
  logsumexp,
  mean,
  type ReduceOptions,
  sum,
  sumToSize,
  type TypedReduceOptions,
} from "./ops/reduce.ts";
export { cummax, cummin, cumprod, cumsum, type Extremes, type ScanOptions } from "./ops/scan.ts";
export { type IndexAddOptions, indexAdd, indexCopy, oneHot, scatter, scatterAdd } from "./ops/scatter.ts";
export {
  chunk,
  type DiagonalOptions,
  diag,
  diagonal,
  narrow,
  type PadOptions,
  pad,
  select,
  slice,
  split,
  unbind,
} from "./ops/select.ts";
export { logSoftmax, type SoftmaxOptions, softmax } from "./ops/softmax.ts";
export { tril, triu } from "./ops/triangle.ts";
export { type Unique, type UniqueOptions, unique, uniqueSync } from "./ops/unique.ts";
export {
  broadcastTo,
  expand,
  flatten,
  movedim,
  permute,
  reshape,
  squeeze,
  t,
  transpose,
  unflatten,
  unsqueeze,
  view,
} from "./ops/view.ts";
export { checkOptions } from "./options.ts";
export { currentRuntime, Runtime, runtimeOf, use, useSync } from "./runtime.ts";
export { gatherRows, SparseTensor, scatterRows, sumOfGradients } from "./sparse.ts";
export { type Backward, type BackwardOptions, record, type Tape, type TapeEntry, tapeOf } from "./tape.ts";
export { type Nested, Tensor, type TensorData } from "./tensor.ts";
export { type Prepared, prepareTraced, runTraced, type Traced, type TracedCall } from "./traced.ts";
