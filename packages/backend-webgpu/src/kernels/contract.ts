import { type ContractProgram, isFloat, type Launch } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import type { Block } from "../gpu/memory.ts";
import { asFold } from "./contract-as-fold.ts";
import { type ContractForm, emitSum, emitTiles } from "./contract-code.ts";
import { storesVectors } from "./contract-epilogue.ts";
import { lieOf } from "./contract-load.ts";
import { byRule, cut, groupsOf, nameOf, sizesOf } from "./contract-plan.ts";
import { prepareFold } from "./fold.ts";
import { type Prepare, type Recorder, Variants } from "./recorder.ts";

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
    const choice = recorder.choices.of(program, launch, sizes, features) ?? byRule(sizes, enoughGroups);
    const tile = choice.shape;
    const groups = groupsOf(sizes, tile);
    const [stretch, splits] = aliases ? [k, 1] : cut(sizes, choice, enoughGroups);
    const form: ContractForm = {
      shape: tile,
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
    const key = `${nameOf(choice)} ${lies} ${form.vector} ${form.split} ${aliases ?? ""}`;
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
