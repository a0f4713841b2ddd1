import type { DtypeName, RawNumber, RawTensor } from "./fixtures.ts";

/** Options in our camelCase spelling. */
export type Options = Readonly<Record<string, unknown>>;

/** Steps `from` to `to`, both included, counted from 1. */
export interface StepSpan {
  readonly param: number;
  readonly from: number;
  readonly to: number;
}

/** PyTorch's `state_dict()`, in its own shape and spelling. */
export interface RawStateDict {
  readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

export interface Snapshot {
  readonly step: number;
  /** Elements of each parameter after that step, in logical order. */
  readonly params: readonly (readonly RawNumber[])[];
}

/** A hundred steps of one optimizer over gradients that both sides compute; see `gradientValues`. */
export interface Trajectory {
  readonly optimizer: string;
  readonly name: string;
  readonly dtype: DtypeName;
  readonly options: Options;
  /** Initial values. */
  readonly params: readonly RawTensor[];
  /** Absent: one group of all parameters. */
  readonly groups?: readonly { readonly params: readonly number[]; readonly options: Options }[];
  /** Where a parameter has no gradient. */
  readonly noGrad?: readonly StepSpan[];
  /** Where its gradient is all zeros. */
  readonly zeroGrad?: readonly StepSpan[];
  /** Options written into a group just before a step. */
  readonly edits?: readonly { readonly step: number; readonly group: number; readonly options: Options }[];
  /** Gradients are sparse, over the leading `sparseDims[param]` dimensions; see `sparseGradientValues`. */
  readonly sparse?: true;
  readonly sparseDims?: readonly number[];
  readonly snapshots: readonly Snapshot[];
  /** The state after that step; loading it and going on must reach the later snapshots. */
  readonly saved?: { readonly step: number; readonly stateDict: RawStateDict };
  /** The state after the last step. */
  readonly stateDict: RawStateDict;
}

export const TRAJECTORY_STEPS = 100;

/** Ten random bits per call, from a linear congruential generator started by parameter and step. */
export function stream(param: number, step: number): () => number {
  let x = (Math.imul(param, 0x9e3779b1) + Math.imul(step, 0x85ebca77) + 0x1234567) >>> 0;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x >>> 22;
  };
}

/**
 * The gradient of parameter number `param` at `step`: multiples of 1/256 in [-2, 2), in logical order. They are exact
 * in float64, float32 and float16, and are rounded in bfloat16. Does not apply `noGrad` and `zeroGrad`; see `gradientAt`.
 */
export function gradientValues(param: number, step: number, size: number): Float64Array {
  const next = stream(param, step);
  return Float64Array.from({ length: size }, () => (next() - 512) / 256);
}

/** What to put in `.grad` before `step`: values in logical order, or null for no gradient. */
export function gradientAt(trajectory: Trajectory, param: number, step: number): Float64Array | null {
  const inside = (spans: readonly StepSpan[] | undefined): boolean =>
    spans?.some((s) => s.param === param && s.from <= step && step <= s.to) ?? false;
  if (inside(trajectory.noGrad)) return null;
  const size = trajectory.params[param]?.shape.reduce((a, b) => a * b, 1) ?? 0;
  return inside(trajectory.zeroGrad) ? new Float64Array(size) : gradientValues(param, step, size);
}

/** PyTorch's COO form: `indices[d]` are the places along sparse dimension d; not coalesced, and possibly empty. */
export interface SparseValues {
  readonly indices: readonly (readonly number[])[];
  readonly values: Float64Array;
}

/**
 * The gradient in a trajectory with `sparse`: three entries over the first `sparseDims` dimensions, none when the step
 * ends in 7; at even steps the last entry repeats the place of the first.
 */
export function sparseGradientValues(
  param: number,
  step: number,
  shape: readonly number[],
  sparseDims: number,
): SparseValues {
  const next = stream(param, step);
  const count = step % 10 === 7 ? 0 : 3;
  const sizes = shape.slice(0, sparseDims);
  const places = Array.from({ length: count }, () => sizes.map((n) => next() % n));
  const first = places[0];
  if (first !== undefined && step % 2 === 0) places[count - 1] = first;
  const entry = shape.slice(sparseDims).reduce((a, b) => a * b, 1);
  return {
    values: Float64Array.from({ length: count * entry }, () => (next() - 512) / 256),
    indices: sizes.map((_, d) => places.map((place) => place[d] as number)),
  };
}

/** A sparse tensor in a state dict; coalesced. `indices` is sparse dimensions × nnz in row-major order. */
export interface RawSparse {
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly indices: readonly number[];
  readonly nnz: number;
  readonly values: readonly RawNumber[];
}

/** Steps of L-BFGS on one of `testFunctions`. */
export interface LbfgsTrace {
  readonly optimizer: "LBFGS";
  readonly name: string;
  readonly function: "rosenbrock" | "beale" | "bowl";
  readonly dtype: DtypeName;
  readonly options: Options;
  readonly params: readonly RawTensor[];
  /** Number of the parameter that never has a gradient. */
  readonly absent?: number;
  readonly trace: readonly {
    readonly returned: number;
    /** What the closure returned, call by call, in this step. */
    readonly losses: readonly RawNumber[];
    readonly params: readonly (readonly RawNumber[])[];
    /** Totals since the start. */
    readonly funcEvals: number;
    readonly nIter: number;
  }[];
  readonly stateDict: RawStateDict;
}
