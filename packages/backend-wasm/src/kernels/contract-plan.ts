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
  const tables = 4 * mostInner + (1 + strided) * 2 * (rows + mostOver);
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

/** Nanoseconds, roughly, to pack an element, to multiply and add one pair, and to begin a block. */
const [packCost, pairCost, blockCost] = [0.6, 0.05, 1000];

/**
 * The rows and columns of a block, such that all threads end soonest: more blocks share the work more evenly, but each packs its rows
 * and columns again.
 */
function chooseBlocks(
  [m, n, k, batches]: readonly [number, number, number, number],
  [tileRows, tileColumns]: readonly [number, number],
  [mostRows, mostColumns]: readonly [number, number],
  threads: number,
): [rows: number, columns: number] {
  const [leastR, leastC] = [Math.max(1, Math.ceil(m / mostRows)), Math.max(1, Math.ceil(n / mostColumns))];
  const extra = threads > 1 && batches < 4 * threads ? Math.min(2 * threads, 16) : 1;
  let best = Number.POSITIVE_INFINITY;
  let chosen: [number, number] = [0, 0];
  for (let r = leastR; r < leastR + extra; r++) {
    for (let c = leastC; c < leastC + extra; c++) {
      const rows = roundUp(Math.max(1, Math.ceil(m / r)), tileRows);
      const columns = roundUp(Math.max(1, Math.ceil(n / c)), tileColumns);
      const units = batches * Math.ceil(m / rows) * Math.ceil(n / columns);
      const unit = (rows + columns) * k * packCost + rows * columns * k * pairCost + blockCost;
      // A thread may come late by part of a block.
      const time = (Math.ceil(units / threads) + (threads > 1 ? 0.2 : 0)) * unit;
      if (time >= best) continue;
      best = time;
      chosen = [rows, columns];
    }
  }
  return chosen;
}

/** How one launch is cut into blocks. */
export interface Cut {
  readonly words: number[];
  readonly units: number;
  /** Units to do one after the other: batches that may have their rows in common, and so pack them once. */
  readonly grain: number;
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
  const flops = 2 * m * n * k;
  const threads = batches * flops > 1e6 ? queue.threads : 1;
  const [rowBlock, columnBlock] = chooseBlocks([m, n, k, batches], [tileRows, lanes], [mostRows, most], threads);
  const [rowBlocks, columnBlocks] = [Math.ceil(m / rowBlock), Math.ceil(n / columnBlock)];
  // Small blocks leave room for longer inner ones.
  const room = (mostInner * (mostRows + most)) / (rowBlock + columnBlock);
  const innerBlocks = Math.max(1, Math.ceil(k / Math.min(2 * mostInner, Math.floor(room / 4) * 4)));
  const innerBlock = Math.max(1, roundUp(Math.ceil(k / innerBlocks), 4));
  const units = batches * rowBlocks * columnBlocks;
  return {
    words: [m, n, k, rowBlock, columnBlock, innerBlock, rowBlocks, columnBlocks],
    units,
    grain: batches > 1 ? Math.max(1, Math.min(8, Math.floor(units / (4 * queue.threads)))) : 1,
    flops: (batches * flops) / Math.max(1, units),
    walks,
    tileRows,
    unpacked: crossed || m === 1 || n === 1,
  };
}
