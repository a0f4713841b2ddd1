import { type ContractProgram, isFloat, type Launch } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import type { Block } from "../gpu/memory.ts";
import { asFold } from "./contract-as-fold.ts";
import { type ContractForm, emitSum, emitTiles, type Tile } from "./contract-code.ts";
import { storesVectors } from "./contract-epilogue.ts";
import { lieOf } from "./contract-load.ts";
import { prepareFold } from "./fold.ts";
import { type Prepare, type Recorder, Variants } from "./recorder.ts";

/** Tiles from large to small: large ones load less, small ones keep more of the device busy. */
export const tiles: readonly Tile[] = [
  { rows: 128, cols: 128, depth: 16, perThread: 8 },
  { rows: 64, cols: 64, depth: 16, perThread: 4 },
  { rows: 32, cols: 32, depth: 16, perThread: 4 },
];

/** Inner elements that a part of a split product has at least. */
const leastStretch = 256;

interface Sizes {
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function sizesOf({ batch, rows, cols }: ContractProgram, shape: readonly number[]): Sizes {
  const size = (from: number, to?: number) => shape.slice(from, to).reduce((product, extent) => product * extent, 1);
  return {
    batches: size(0, batch),
    m: size(batch, batch + rows),
    n: size(batch + rows, batch + rows + cols),
    k: size(batch + rows + cols),
  };
}

const groupsOf = ({ batches, m, n }: Sizes, { rows, cols }: Tile): number =>
  batches * Math.ceil(m / rows) * Math.ceil(n / cols);

/** The largest tile that still makes enough workgroups, or the smallest. */
function chooseTile(sizes: Sizes, enough: number): Tile {
  const fitting = tiles.find(
    (tile) => groupsOf(sizes, tile) >= enough && sizes.m >= tile.rows / 2 && sizes.n >= tile.cols / 2,
  );
  return fitting ?? (tiles.at(-1) as Tile);
}

/** Whether an operand varies along axes that are not its own. */
function isCrossed({ batch, rows, cols }: ContractProgram, { args, shape }: Launch): boolean {
  const varies = (k: number, from: number, count: number) =>
    args[k]!.strides.slice(from, from + count).some((stride, i) => stride !== 0 && shape[from + i] !== 1);
  return varies(0, batch + rows, cols) || varies(1, batch, rows);
}

export function prepareContract(program: ContractProgram): Prepare {
  const { batch, rows, cols, bindings, body } = program;
  const type = body.find(({ op }) => op === "accumulator")?.type ?? "f32";
  const single = type === "f32" && isFloat(bindings[0]!.dtype) && isFloat(bindings[1]!.dtype);
  const fold = prepareFold(asFold(program));
  const variants = new Variants<ReturnType<typeof emitTiles>>();
  return (launch: Launch, recorder: Recorder) => {
    const { shape, args } = launch;
    const sizes = sizesOf(program, shape);
    const { batches, m, n, k } = sizes;
    if (batches * m * n === 0) return;
    if (!single || m < 8 || n < 8 || k < 4 || isCrossed(program, launch)) {
      fold(launch, recorder);
      return;
    }
    const { features, enoughGroups } = recorder;
    const aliases = recorder.aliases(program, launch);
    const inner = batch + rows + cols;
    const lie = (side: 0 | 1, own: readonly [number, number]) =>
      lieOf(args[side]!.strides, args[side]!.offset, shape, own, inner, !aliases);
    const tile = chooseTile(sizes, enoughGroups);
    const groups = groupsOf(sizes, tile);
    const parts = aliases ? 1 : Math.min(Math.ceil(enoughGroups / groups), Math.floor(k / leastStretch));
    const stretch = parts > 1 ? Math.ceil(k / parts / tile.depth) * tile.depth : k;
    const splits = Math.ceil(k / stretch);
    const form: ContractForm = {
      tile,
      left: lie(0, [batch, batch + rows]),
      right: lie(1, [batch + rows, inner]),
      aliases,
      vector:
        splits === 1 &&
        storesVectors(
          program,
          args.map(({ offset }) => offset),
          n,
          aliases,
        ),
      split: splits > 1,
    };
    const blocks = recorder.blocks(launch, aliases);
    const extras = [m, n, k, Math.ceil(m / tile.rows), Math.ceil(n / tile.cols), splits, stretch, batches];
    const lies = [form.left, form.right].map(({ along, vector }) => `${along}${vector}`).join();
    const key = `${tile.rows}x${tile.cols}x${tile.depth}x${tile.perThread} ${lies} ${form.vector} ${form.split} ${aliases ?? ""}`;
    const [code, frame] = variants.get(key, () => emitTiles(program, features, form));
    const work = batches * m * n * k * 0.5;
    if (splits === 1) {
      recorder.run(code, frame, launch, blocks, groups, extras, work);
      return;
    }
    const partial: Block = recorder.scratch(splits * batches * m * n * 4);
    // Shared memory of operands and results: the operands come first, so the first two slots are theirs.
    recorder.run(code, frame, launch, [...blocks.slice(0, 2), partial], groups * splits, extras, work);
    const [sum, sumFrame] = variants.get(`sum ${aliases ?? ""}`, () => emitSum(program, features, aliases));
    const count = Math.ceil((batches * m * n) / groupSize);
    recorder.run(sum, sumFrame, launch, [...blocks.slice(2), partial], count, extras);
  };
}
