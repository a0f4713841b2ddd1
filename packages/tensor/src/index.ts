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
export { type Captured, capture } from "./capture/capture.ts";
export { type CreateOptions, empty, tensor } from "./create.ts";
export { applyTraced } from "./differentiate.ts";
export { type EmbeddingOptions, embedding } from "./embedding.ts";
export {
  arange,
  emptyLike,
  eye,
  full,
  fullLike,
  type LogspaceOptions,
  linspace,
  logspace,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from "./fill.ts";
export { type BackendMaker, firstAvailable } from "./first-available.ts";
export { defaultGenerator, Generator, getRngState, manualSeed, type RngState, setRngState } from "./generator.ts";
export type { Memory, MemoryReport } from "./memory.ts";
export {
  celu,
  elu,
  type GeluOptions,
  gelu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu,
  relu6,
  selu,
  silu,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "./ops/activations.ts";
export {
  type AlphaOptions,
  abs,
  add,
  atan2,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  copysign,
  type DivOptions,
  div,
  floorDivide,
  fmax,
  fmin,
  fmod,
  hypot,
  logaddexp,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  remainder,
  sign,
  square,
  sub,
  xlogy,
} from "./ops/arithmetic.ts";
export { at, type Index, type Range, unfold } from "./ops/at.ts";
export {
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from "./ops/avg-pool.ts";
export { allclose, allcloseSync, type CloseOptions, equal, equalSync, isclose } from "./ops/close.ts";
export {
  eq,
  ge,
  gt,
  isfinite,
  isinf,
  isnan,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  ne,
} from "./ops/compare.ts";
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
export { to } from "./ops/copy.ts";
export type { Elementwise, Operand } from "./ops/define.ts";
export { bernoulli_, type GeneratorOption, normal_, randomWords, uniform_, uniformFrom } from "./ops/draw.ts";
export { einsum } from "./ops/einsum.ts";
export { argmax, argmin, max, min } from "./ops/extrema.ts";
export { type Fused, type FuseOptions, fuse } from "./ops/fuse.ts";
export type { Activation } from "./ops/fused.ts";
export { indexSelect, takeAlongDim } from "./ops/gather.ts";
export { cat, flip, meshgrid, repeat, repeatInterleave, roll, stack, tile } from "./ops/join.ts";
export { maskedFill, maskedSelect, maskedSelectSync, nonzero, nonzeroSync } from "./ops/masked.ts";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  ceil,
  cos,
  cosh,
  erf,
  erfc,
  exp,
  exp2,
  expm1,
  floor,
  frac,
  type LogitOptions,
  log,
  log1p,
  log2,
  log10,
  logit,
  type NanToNumOptions,
  nanToNum,
  type RoundOptions,
  round,
  rsqrt,
  sigmoid,
  sin,
  sinh,
  sqrt,
  tan,
  tanh,
  trunc,
} from "./ops/math.ts";
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
export { type PadOptions, pad } from "./ops/pad.ts";
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
export { type IndexAddOptions, indexAdd, indexCopy, indexFill, oneHot, scatter, scatterAdd } from "./ops/scatter.ts";
export {
  chunk,
  type DiagonalOptions,
  diag,
  diagonal,
  narrow,
  select,
  slice,
  split,
  unbind,
} from "./ops/select.ts";
export { logSoftmax, type SoftmaxOptions, softmax } from "./ops/softmax.ts";
export {
  addcdiv,
  addcmul,
  type ClampOptions,
  clamp,
  clampMax,
  clampMin,
  lerp,
  type ValueOptions,
} from "./ops/ternary.ts";
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
export { where } from "./ops/where.ts";
export { checkOptions } from "./options.ts";
export { Pace } from "./pace.ts";
export {
  bernoulli,
  normal,
  type RandomOptions,
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  randperm,
} from "./random.ts";
export { type RandomKey, RandomStream } from "./random-stream.ts";
export { currentRuntime, Runtime, runtimeOf, use, useSync } from "./runtime.ts";
export { dispose, keep, memory, Scope, scope, scopeOn, steps, unkeep } from "./scope.ts";
export { gatherRows, SparseTensor, scatterRows, sumOfGradients } from "./sparse.ts";
export { type GatherOptions, gather } from "./sparse-gather.ts";
export { type Backward, type BackwardOptions, record, type Tape, type TapeEntry, tapeOf } from "./tape.ts";
export { type Nested, Tensor, type TensorData } from "./tensor.ts";
export { type Prepared, prepareTraced, runTraced, type Traced, type TracedCall } from "./traced.ts";
export { type HostCall, hosted, isCapturing, structureChanged } from "./watch.ts";
