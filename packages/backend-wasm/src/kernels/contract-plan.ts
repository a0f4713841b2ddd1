import type { ContractProgram, DType, Launch } from "@descent/backend";
import { collapse, sizeOf } from "@descent/backend";
import type { Features } from "../asm/assembler.ts";
import { widthOf } from "../emit/body.ts";
import { bytesOf } from "../emit/storage.ts";
import { chooseBlocks, directInner, mostColumns, mostInner, mostRows } from "./contract-blocks.ts";
import { scratchBytes } from "./entry.ts";
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

/** Entries of a table of offsets past its end that whole vectors reach. */
export const mostOver = 8;

/** Elements of scratch memory that the tables of a block leave for what is packed and for partial sums. */
function roomFor({ bindings }: ContractProgram, size: number): number {
  const strided = bindings.filter(isStrided).length;
  const across = (mostRows + mostColumns) / size + 2 * mostOver;
  return Math.floor((scratchBytes - 4 * (2 * mostInner + (1 + strided) * across) - 4096) / size);
}

/** Whether the tables of offsets leave enough of the scratch memory. */
export const hasRoom = (program: ContractProgram, size: number): boolean => roomFor(program, size) * size > 1 << 19;

/**
 * Rows of a tile, tallest first: six rows take twelve accumulators, four rows eight. The lower kind takes up to four rows that are left.
 * Without fused multiply-add six rows do not fit the registers of x86. Rows of narrow types are packed by fours.
 */
export const heightsFor = (dtype: DType, { relaxed }: Features): readonly number[] =>
  relaxed && /^float(32|64)$/.test(dtype) ? [6, 4] : [4];

/** How one launch is cut into blocks, all of which follows from its shape and strides. */
export interface Cut {
  /** All parameters from `plan.cut` on. */
  readonly words: readonly number[];
  readonly units: number;
  /** Units to do one after the other: batches that may have their rows in common, and so pack them once. */
  readonly grain: number;
  /** Nanoseconds per unit. */
  readonly cost: number;
  readonly walks: readonly ColumnWalk[];
  /** Whether the left operand is read where it lies. */
  readonly direct: boolean;
  /** Whether packing cannot pay (one row or column) or cannot work (an operand varies along both rows and columns). */
  readonly unpacked: boolean;
  /** Whether there is nothing to compute. */
  readonly empty: boolean;
}

/** Merges axes, chooses blocks, enough of them for every thread, and gives all parameters. */
export function cutContract(plan: ContractPlan, launch: Launch, threads: number, features: Features): Cut {
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
  const extents: number[] = [];
  const strides: number[][] = strided.map(() => []);
  let crossed = false;
  let run = 1;
  const sizes: number[] = [];
  const walks: ColumnWalk[] = [];
  groups.forEach((count, group) => {
    const [from, to] = [starts[group]!, starts[group + 1]!];
    const pad = count - (to - from);
    const padded = (values: readonly number[], fill: number) => [...new Array<number>(pad).fill(fill), ...values];
    const inside = merged.shape.slice(from, to);
    sizes.push(sizeOf(inside));
    extents.push(...padded(inside, 1));
    strided.forEach((b, which) => {
      const steps = merged.operands[which]!.slice(from, to);
      const size = bytesOf(bindings[b]!.dtype);
      strides[which]!.push(...padded(steps, 0).map((step) => step * size));
      // The left operand has no columns and the right one no rows.
      crossed ||= b < 2 && b + group === 2 && steps.some((s) => s !== 0);
      if (group === 2) {
        walks[b] = steps.every((s) => s === 0) ? "0" : steps.length > 1 ? "t" : steps[0] === 1 ? "1" : "t";
      }
      if (group === 3 && b === 0) {
        for (let axis = steps.length; axis-- > 0 && steps[axis] === run; ) run *= inside[axis]!;
      }
    });
  });
  const [batches, m, n, k] = sizes as [number, number, number, number];
  const { dtype } = bindings[0]!;
  const size = widthOf(program) === 2 ? 8 : 4;
  const direct = bytesOf(dtype) === size ? directInner(run, k) : 0;
  const flops = 2 * m * n * k;
  const shared = batches * flops > 1e6 ? threads : 1;
  const tile = [heightsFor(dtype, features)[0]!, 32 / size] as const;
  const room = roomFor(program, size);
  const blocks = chooseBlocks({ batches, m, n, k }, { size, tile, direct, room, threads: shared });
  const [rowBlocks, columnBlocks] = [Math.ceil(m / blocks.rows), Math.ceil(n / blocks.columns)];
  const units = batches * rowBlocks * columnBlocks;
  return {
    words: [m, n, k, blocks.rows, blocks.columns, blocks.inner, rowBlocks, columnBlocks, ...extents, ...strides.flat()],
    units,
    grain: batches > 1 ? Math.max(1, Math.min(8, Math.floor(units / (4 * threads)))) : 1,
    cost: 10 + (batches * flops) / Math.max(1, units) / 45,
    walks,
    direct: direct > 0,
    unpacked: crossed || m === 1 || n === 1,
    empty: batches * m * n === 0,
  };
}
