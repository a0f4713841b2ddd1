import type { FoldProgram, Launch } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { FoldEmitter, type FoldForm, scratchWords } from "./fold-code.ts";
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

/**
 * Lays rows over threads: enough threads for few long rows, coalesced loads for every layout. `enough` workgroups keep the device
 * busy; 0: rows are not cut.
 */
function cutFold(program: FoldProgram, launch: Launch, rows: number, width: number, enough: number): Cut {
  const columnar = isColumnar(program, launch);
  let lanes = width <= 8 ? 1 : width <= 128 ? 32 : 256;
  if (columnar) lanes = width <= 16 || rows >= 1 << 16 ? 1 : 8;
  const groups = Math.ceil((rows * lanes) / groupSize);
  const most = Math.floor(width / (lanes * 16));
  // A cut costs a dispatch more: it has to bring a lot.
  const parts = groups < enough / 2 && most > 3 ? Math.min(most, Math.ceil((2 * enough) / groups)) : 1;
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
    const { lanes, columnar, parts } = cutFold(program, launch, rows, width, splits ? recorder.enoughGroups : 0);
    const made = (pass: FoldForm["pass"]) =>
      variants.get(`${lanes}${columnar}${pass}${aliases ?? ""}`, () => {
        const emitter = new FoldEmitter(program, recorder.features, { lanes, columnar, aliases, pass });
        return [emitter.emit(), emitter];
      });
    const groups = Math.ceil((rows * lanes) / groupSize);
    const blocks = recorder.blocks(launch, aliases);
    const chunk = Math.ceil(width / parts);
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
