import type { ContractProgram, DType, Launch } from "@descent/backend";
import { collapse, sizeOf } from "@descent/backend";
import type { Features } from "../asm/assembler.ts";
import { bytesOf } from "../emit/storage.ts";
import type { Queue } from "./entry.ts";
import { isStrided, Layout, type Walk } from "./layout.ts";

/** How an epilogue operand runs along the columns; `t`: as no single stride says. */
export type ColumnWalk = Walk | "t";

/** Words of the parameters that say how the product is cut. */
export const cut = [
  "rows",
  "columns",
  "inner",
  "rowBlock",
  "columnBlock",
  "innerBlock",
  "rowBlocks",
  "columnBlocks",
] as const;

/** Where things lie in the parameters of a contract. Axes are in four groups: batch, rows, columns, inner. */
export interface ContractPlan {
  readonly program: ContractProgram;
  readonly groups: readonly [batch: number, rows: number, columns: number, inner: number];
  readonly bases: number;
  readonly cut: number;
  /** Extents of all axes, group after group. */
  readonly extents: number;
  /** Strides of every strided binding over all axes; −1 for others. */
  readonly strides: readonly number[];
  readonly bytes: number;
}

export function planContract(program: ContractProgram): ContractPlan {
  const groups = [program.batch, program.rows, program.cols, program.inner] as const;
  const axes = groups[0] + groups[1] + groups[2] + groups[3];
  const layout = new Layout(program);
  const bases = layout.words(program.bindings.length);
  const at = layout.words(cut.length);
  const extents = layout.words(axes);
  const strides = program.bindings.map((binding) => (isStrided(binding) ? layout.words(axes) : -1));
  return { program, groups, bases, cut: at, extents, strides, bytes: layout.bytes };
}

/** Largest blocks: what is packed of either operand stays in the second-level cache. Doubles take half the rows and columns. */
const mostInner = 256;
const mostAcross = (size: number): number => 1024 / size;
/** Entries of a table of offsets past its end that whole vectors reach. */
export const mostOver = 8;

/** Bytes of scratch a block needs: both packed operands, partial sums, and tables of offsets. */
export function scratchNeeded(size: number, strided: number): number {
  const across = mostAcross(size);
  const rows = roundUp(across, 6);
  const tables = 2 * mostInner + (1 + strided) * 2 * (rows + mostOver);
  return (mostInner * (rows + across) + rows * across) * size + 4 * tables + 4096;
}

const roundUp = (x: number, multiple: number): number => Math.ceil(x / multiple) * multiple;

/**
 * Rows of a tile: six rows take twelve accumulators, four rows eight. With fused multiply-add six are faster, by about the
 * given part, unless more of them would lie past the end; without it six do not fit the registers of x86. Rows of narrow types are packed by fours.
 */
function tileRowsFor(rows: number, dtype: DType, { relaxed }: Features): number {
  return relaxed && /^float(32|64)$/.test(dtype) && roundUp(rows, 6) < 1.15 * roundUp(rows, 4) ? 6 : 4;
}

/** How one launch is cut into blocks. */
export interface Cut {
  readonly words: number[];
  readonly units: number;
  readonly flops: number;
  readonly walks: readonly ColumnWalk[];
  readonly tileRows: number;
  /** Whether packing cannot pay (one row or column) or cannot work (an operand varies along both rows and columns). */
  readonly unpacked: boolean;
}

/** Merges axes, writes all parameters and chooses blocks, enough of them for every thread. */
export function cutContract(plan: ContractPlan, launch: Launch, p: number, queue: Queue, features: Features): Cut {
  const { program, groups } = plan;
  const { bindings, batch, rows, cols } = program;
  const outer = batch + rows + cols;
  const strided = bindings.flatMap((binding, b) => (isStrided(binding) ? [b] : []));
  const own = strided.map((b) => {
    const { strides } = launch.args[b]!;
    return strides.length === launch.shape.length ? strides : [...strides, ...launch.shape.slice(outer).map(() => 0)];
  });
  const merged = collapse(launch.shape, own, [0, batch, batch + rows, outer]);
  const starts = [...merged.fences, merged.shape.length];
  let at = 0;
  let crossed = false;
  const sizes: number[] = [];
  const walks: ColumnWalk[] = [];
  groups.forEach((count, group) => {
    const [from, to] = [starts[group]!, starts[group + 1]!];
    const extents = merged.shape.slice(from, to);
    const pad = count - extents.length;
    sizes.push(sizeOf(extents));
    queue.words(p + plan.extents + at, extents, 1, pad, 1);
    strided.forEach((b, k) => {
      const strides = merged.operands[k]!.slice(from, to);
      queue.words(p + plan.strides[b]! + at, strides, bytesOf(bindings[b]!.dtype), pad, 0);
      // The left operand has no columns and the right one no rows.
      crossed ||= b < 2 && b + group === 2 && strides.some((s) => s !== 0);
      if (group === 2) {
        walks[b] = strides.every((s) => s === 0) ? "0" : strides.length > 1 ? "t" : strides[0] === 1 ? "1" : "t";
      }
    });
    at += 4 * count;
  });
  const [batches, m, n, k] = sizes as [number, number, number, number];
  const double = bindings[0]!.dtype === "float64";
  const lanes = double ? 4 : 8;
  const most = mostAcross(double ? 8 : 4);
  const tileRows = tileRowsFor(m, bindings[0]!.dtype, features);
  const mostRows = roundUp(most, tileRows);
  let rowBlock = Math.min(mostRows, roundUp(Math.ceil(m / Math.ceil(m / mostRows)), tileRows));
  let columnBlock = Math.min(most, roundUp(n, lanes));
  const units = () => batches * Math.ceil(m / rowBlock) * Math.ceil(n / columnBlock);
  const flops = 2 * m * n * k;
  if (queue.threads > 1 && batches * flops > 1e6) {
    const least = k > 4096 ? 8 : 32;
    while (units() < 2 * queue.threads && (rowBlock > least || columnBlock > 32)) {
      if (rowBlock >= columnBlock) rowBlock = roundUp(rowBlock / 2, tileRows);
      else columnBlock = roundUp(columnBlock / 2, lanes);
    }
  }
  const [rowBlocks, columnBlocks] = [Math.ceil(m / rowBlock), Math.ceil(n / columnBlock)];
  const innerBlocks = Math.max(1, Math.ceil(k / mostInner));
  const innerBlock = Math.max(1, roundUp(Math.ceil(k / innerBlocks), 4));
  return {
    words: [m, n, k, rowBlock, columnBlock, innerBlock, rowBlocks, columnBlocks],
    units: units(),
    flops: (batches * flops) / Math.max(1, units()),
    walks,
    tileRows,
    unpacked: crossed || m === 1 || n === 1,
  };
}
