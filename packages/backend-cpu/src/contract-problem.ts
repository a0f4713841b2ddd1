import type { Arg } from "@descent/backend";
import type { CpuBuffer } from "./memory.ts";

type Data = CpuBuffer["data"];

/** Copies four rows (or columns) of an operand, element by element side by side and as doubles, to `target` from `to` on. */
export type Pack = (
  source: Data,
  base: number,
  tables: Int32Array,
  outer: number,
  count: number,
  inner: number,
  depth: number,
  target: Float64Array,
  to: number,
) => void;

/** Plain sums of products without packing: `few` is the operand with few rows, or the one that is not walked. */
export type Dots = (
  problem: Problem,
  few: Side,
  wide: Side,
  sums: Float64Array,
  fewStep: number,
  wideStep: number,
) => void;

/** One operand: its memory, and where in the tables its own axis and the inner axes begin. */
export interface Side {
  data: Data;
  base: number;
  /** Where its rows (or columns) begin in the tables, and the stretch of them to work on. */
  outer: number;
  from: number;
  to: number;
  inner: number;
}

/** One stretch of the output, for generated code. A single one is reused: nothing keeps it. */
export interface Problem {
  args: readonly Arg[];
  shape: readonly number[];
  uniforms: readonly number[];
  /** Offsets of every index of an axis group: of the operands and of the strided bindings of the epilogue. */
  tables: Int32Array;
  /** Per strided binding of the epilogue, where its batch, row and column offsets begin. */
  starts: number[];
  batch: number;
  rows: number;
  cols: number;
  depth: number;
  firstRow: number;
  endRow: number;
  firstCol: number;
  endCol: number;
  sums: Float64Array;
  /** From one row of `sums` to the next. */
  pitch: number;
}

/** What a program contributes to its product. */
export interface ContractKernel {
  readonly axes: readonly [batch: number, rows: number, cols: number, inner: number];
  readonly packLeft: Pack;
  readonly packRight: Pack;
  /**
   * Sums along the inner axes; `spread` goes along the wide operand instead, for one whose inner stride is the larger. The
   * first of two is for a wide right operand, the second for a wide left one.
   */
  readonly dots: readonly [Dots, Dots];
  readonly spread: readonly [Dots, Dots];
  readonly integer: boolean;
  /** Bindings of the epilogue that are strided. */
  readonly strided: readonly number[];
  readonly epilogue: (problem: Problem) => void;
}

const side = (): Side => ({ data: new Float32Array(0), base: 0, outer: 0, from: 0, to: 0, inner: 0 });
export const left = side();
export const right = side();
/** The one problem at hand: launches do not nest. */
export const problem: Problem = {
  args: [],
  shape: [],
  uniforms: [],
  tables: new Int32Array(4096),
  starts: [],
  batch: 0,
  rows: 0,
  cols: 0,
  depth: 0,
  firstRow: 0,
  endRow: 0,
  firstCol: 0,
  endCol: 0,
  sums: new Float64Array(4096),
  pitch: 0,
};
