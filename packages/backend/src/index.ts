export type { Arg, Backend, Buffer, Kernel, Launch, Limits } from "./backend.ts";
export {
  type Built,
  buildContract,
  buildFold,
  buildGather,
  buildMap,
  buildScan,
  buildScatter,
  buildSort,
  type ContractAxes,
} from "./build.ts";
export { Cache } from "./cache.ts";
export {
  checkAlloc,
  checkProgram,
  checkRange,
  checkWrite,
  closedError,
  foreignError,
  freedError,
} from "./check.ts";
export { type CheckedOptions, checked } from "./checked.ts";
export { type CountedBackend, type Counts, counted } from "./counted.ts";
export { decorate } from "./decorate.ts";
export { gradients } from "./derive.ts";
export {
  byteSize,
  checkDType,
  type DType,
  dtypeKind,
  dtypes,
  type HostArray,
  hostArray,
  hostView,
  isFloat,
  type ValueType,
  valueType,
} from "./dtype.ts";
export { decode, encode } from "./element.ts";
export { DescentError, type ErrorCode, type Facts, isDescentError } from "./error.ts";
export { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./half.ts";
export { compareNumbers } from "./interpret-lines.ts";
export { interpret } from "./interpreter.ts";
export { collapse, contiguousStrides, isContiguous, type Shape, sizeOf } from "./layout.ts";
export { nearest } from "./nearest.ts";
export { castValue, evaluate, narrow, type Op, opRow, ops, type Signature } from "./ops.ts";
export { philox, philoxValues } from "./philox.ts";
export { print } from "./print.ts";
export type {
  Access,
  Binding,
  BodyProgram,
  ContractProgram,
  FoldProgram,
  GatherProgram,
  Instruction,
  MapProgram,
  Program,
  Reducer,
  ScanProgram,
  ScatterProgram,
  SortProgram,
  Store,
  StructuralOp,
} from "./program.ts";
export { checkLaunch } from "./reach.ts";
export { reference } from "./reference.ts";
export { erf, erfc, mulHigh, pow, remainder, roundHalfEven } from "./special.ts";
export { isRowAccess, type Schedule, type Stage, schedule } from "./stages.ts";
export { Trace, type TraceOptions } from "./trace.ts";
export { type LaunchEvent, traced } from "./traced.ts";
export { lerp, Mask, type Operand, Value } from "./value.ts";
export { forEachIndex, type HostLaunch, identity } from "./walk.ts";
