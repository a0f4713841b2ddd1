import type { FoldProgram, Launch } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { FoldEmitter, type FoldForm, scratchWords } from "./fold-code.ts";
import { isContiguous, vectorsAtOnce } from "./fold-elements.ts";
import { type Prepare, type Recorder, Variants } from "./recorder.ts";

interface Cut {
  readonly lanes: number;
  readonly columnar: boolean;
  readonly parts: number;
}

/** Whether the elements of a row lie farther apart than the rows do: then neighbouring threads take neighbouring rows. */
function isColumnar({ bindings, rank, reduced }: FoldProgram, { args, shape }: Launch): boolean {
  const [side, along] = [rank - reduced - 1, rank - 1];
  if (side < 0 || shape[side]! < 8) return false;
  let balance = 0;
  for (let k = 0; k < bindings.length; k++) {
    const { access } = bindings[k]!;
    if (access === "flat") balance--;
    if (access !== "strided") continue;
    const { strides } = args[k]!;
    balance += Math.sign(Math.abs(strides[along]!) - Math.abs(strides[side]!));
  }
  return balance > 0;
}

/** Threads of a row: as few as keep the device busy, since bringing them together costs as much as several loads. */
function lanesOf(rows: number, width: number, enough: number): number {
  if (width <= 8) return 1;
  const fills = (lanes: number) => rows * lanes >= 4 * enough * groupSize;
  if (width <= 128) return fills(8) ? 8 : 32;
  return width <= 1024 && fills(32) ? 32 : 256;
}

/** Lays rows over threads: enough threads for few long rows, coalesced loads for every layout. `enough` workgroups keep the device busy. */
function cutFold(
  program: FoldProgram,
  launch: Launch,
  rows: number,
  width: number,
  enough: number,
  splits: boolean,
): Cut {
  const columnar = isColumnar(program, launch);
  let lanes = lanesOf(rows, width, enough);
  if (columnar) lanes = width <= 16 || rows >= 1 << 16 ? 1 : 8;
  const groups = Math.ceil((rows * lanes) / groupSize);
  const most = Math.floor(width / (lanes * 16));
  // A cut costs a dispatch more: it has to bring a lot. Long rows are cut into more parts, for loads in flight hide each other's latency.
  const many = Math.max(2 * enough, Math.min(16 * enough, (rows * width) / (64 * groupSize)));
  const parts = splits && groups < enough / 2 && most > 3 ? Math.min(most, Math.ceil(many / groups)) : 1;
  return { lanes, columnar, parts };
}

export function prepareFold(program: FoldProgram): Prepare {
  const variants = new Variants<readonly [ReturnType<FoldEmitter["emit"]>, FoldEmitter]>();
  const kept = program.rank - program.reduced;
  const words = scratchWords(program);
  return (launch: Launch, recorder: Recorder) => {
    let [rows, width] = [1, 1];
    launch.shape.forEach((extent, axis) => {
      if (axis < kept) rows *= extent;
      else width *= extent;
    });
    if (rows === 0) return;
    const aliases = recorder.aliases(program, launch);
    const splits = words > 0 && program.bindings.length < recorder.bindings;
    const { lanes, columnar, parts } = cutFold(program, launch, rows, width, recorder.enoughGroups, splits);
    const chunk = Math.ceil(width / parts / 4) * 4;
    const contiguous = !columnar && !aliases && isContiguous(program, launch, width);
    const vectors = contiguous ? vectorsAtOnce(Math.min(width, chunk), lanes) : 0;
    const made = (pass: FoldForm["pass"]) =>
      variants.get(`${lanes}${columnar}${vectors}${pass}${aliases ?? ""}`, () => {
        const emitter = new FoldEmitter(program, recorder.features, { lanes, columnar, vectors, aliases, pass });
        return [emitter.emit(), emitter];
      });
    const groups = Math.ceil((rows * lanes) / groupSize);
    const blocks = recorder.blocks(launch, aliases);
    if (parts === 1) {
      const [code, { frame }] = made(null);
      recorder.run(code, frame, launch, blocks, groups, [rows, width, 1, chunk, 1], rows * width * 8);
      return;
    }
    const all = [...blocks, recorder.scratch(words * rows * parts * 4)];
    const { stages, rowStores } = made(0)[1].plan;
    const finishes = rowStores.length > 0 || stages.at(-1)!.folds.length > 0;
    for (let pass = 0; pass < stages.length + Number(finishes); pass++) {
      const [code, { frame }] = made(pass);
      // What finishes takes all parts of a row at once.
      const share = pass === stages.length ? 1 : parts;
      recorder.run(
        code,
        frame,
        launch,
        all,
        groups * share,
        [rows, width, parts, chunk, share],
        (rows * width * 8) / parts,
      );
    }
  };
}
