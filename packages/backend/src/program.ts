import type { DType, ValueType } from "./dtype.ts";
import type { Op } from "./ops.ts";

/**
 * How a program reaches the elements of a binding, over its index space of `rank` axes:
 *
 * - `flat`: element `offset + i`, where `i` counts the index space in row-major order (a contract's space is its output's);
 * - `single`: element `offset`, whatever the index;
 * - `strided`: element `offset + Σ index[axis] · strides[axis]`; strides may be zero or negative;
 * - `row` (fold only): element `offset + r`, where `r` counts the kept axes in row-major order;
 * - `stridedRow` (fold only): as `strided`, over the kept axes alone.
 */
export type Access = "flat" | "single" | "strided" | "row" | "stridedRow";

/**
 * One buffer of a program. `update` is read and written in place: every index reads and writes its own element only, so a launch
 * must not hand the same memory to another binding, nor strides under which two indices meet.
 */
export interface Binding {
  readonly dtype: DType;
  readonly access: Access;
  readonly mode: "read" | "write" | "update";
}

export type Reducer = "sum" | "prod" | "max" | "min" | "argmax" | "argmin";

/** Instructions that are not scalar operations. `imm` means: const, the value; uniform, its slot; load, the binding; index, the axis. */
export type StructuralOp = "const" | "uniform" | "load" | "index" | "accumulator" | `fold.${Reducer}`;

/** One numbered instruction; `args` are the numbers of earlier ones. */
export interface Instruction {
  readonly op: Op | StructuralOp;
  readonly type: ValueType;
  readonly args: readonly number[];
  readonly imm?: number;
}

/** Writes instruction `value` to `binding`. */
export interface Store {
  readonly binding: number;
  readonly value: number;
}

interface Base {
  /** Equal keys mean equal programs: extents, strides and hyperparameters are never part of it. */
  readonly key: string;
  readonly bindings: readonly Binding[];
  /** Types of the numbers that a launch passes. */
  readonly uniforms: readonly ValueType[];
}

interface WithBody extends Base {
  readonly body: readonly Instruction[];
  readonly stores: readonly Store[];
}

/** Per element, any number of outputs. */
export interface MapProgram extends WithBody {
  readonly kind: "map";
  readonly rank: number;
}

/**
 * Rows of elements: the last `reduced` axes of the index space are folded, any number of times, and what a fold gives may be
 * used by later element instructions of the same row (a softmax is one program). `stages` in `stages.ts` gives the order.
 */
export interface FoldProgram extends WithBody {
  readonly kind: "fold";
  readonly rank: number;
  readonly reduced: number;
}

/**
 * Batched generalised matrix product. The axes are `batch` axes, then `rows`, then `cols`, then `inner` (each a count);
 * bindings 0 and 1 are the operands, strided over all of them (0 where an operand does not vary). The instruction
 * `accumulator` is Σ over the inner axes of left · right; body and the other bindings work on the output space (no inner axes).
 * Operands may overlap themselves: a convolution reads its input through a window layout, without a copy.
 */
export interface ContractProgram extends WithBody {
  readonly kind: "contract";
  readonly batch: number;
  readonly rows: number;
  readonly cols: number;
  readonly inner: number;
}

/**
 * `out[i] = source[… index[i] …]`. Bindings: source (strided, 0 along the indexed axis), index (strided), out (flat).
 * Uniforms: stride and extent of the indexed axis. An index outside the extent is an error where the backend can tell
 * at once, and reads 0 elsewhere.
 */
export interface GatherProgram extends Base {
  readonly kind: "gather";
  readonly rank: number;
}

/**
 * `target[… index[i] …] = source[i]`, or `+=` with mode `sum`; later elements win, sums are in index order unless the backend
 * says otherwise. Bindings: target (strided, 0 along the indexed axis, update), index (strided), source (strided). Uniforms as for gather.
 */
export interface ScatterProgram extends Base {
  readonly kind: "scatter";
  readonly rank: number;
  readonly mode: "set" | "sum";
}

/** Running fold along the last axis. Bindings: input (strided), output (flat); `max` and `min` also write an index output (flat, int64). */
export interface ScanProgram extends Base {
  readonly kind: "scan";
  readonly rank: number;
  readonly reducer: "sum" | "prod" | "max" | "min";
}

/** Stable sort along the last axis; NaN counts as largest. Bindings: input (strided), values (flat), indices (flat, int64). */
export interface SortProgram extends Base {
  readonly kind: "sort";
  readonly rank: number;
  readonly descending: boolean;
}

/** What a backend compiles: plain data, one of a few kinds. */
export type Program =
  | MapProgram
  | FoldProgram
  | ContractProgram
  | GatherProgram
  | ScatterProgram
  | ScanProgram
  | SortProgram;

/** Programs that carry instructions. */
export type BodyProgram = MapProgram | FoldProgram | ContractProgram;
