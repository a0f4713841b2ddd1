import type { ContractProgram, Launch } from "@descent/backend";
import { widthOf } from "../emit/body.ts";
import { bytesOf } from "../emit/storage.ts";
import { asFold } from "./contract-as-fold.ts";
import { emitContract } from "./contract-code.ts";
import { type Cut, cutContract, hasRoom, planContract } from "./contract-plan.ts";
import type { Compiled, Entries, Prepare } from "./entry.ts";
import { compileFold } from "./fold.ts";

/** Whether packed panels can hold the operands, and whether rows and columns are what they say. */
export const isPackable = (program: ContractProgram): boolean => {
  const type = program.body.find(({ op }) => op === "accumulator")?.type ?? "f32";
  const double = type === "f64";
  if (type !== "f32" && !double) return false;
  if (widthOf(program) !== (double ? 2 : 4)) return false;
  const operands = program.bindings.slice(0, 2).map(({ dtype }) => dtype);
  const fits = operands.every((dtype) =>
    double ? dtype === "float64" : dtype === "float32" || dtype === "float16" || dtype === "bfloat16",
  );
  // Axes are merged here, so their own numbers are lost.
  if (program.body.some(({ op, imm }) => op === "index" && imm !== -1)) return false;
  return fits && hasRoom(program, double ? 8 : 4);
};

/** Layouts of which a kernel remembers how it cuts them. */
const mostKnown = 32;

/** A layout that was met before. */
interface Known {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
  readonly cut: Cut;
  /** Absent where the fold does the work. */
  readonly entry: Compiled | undefined;
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function fits({ shape, strides }: Known, launch: Launch): boolean {
  if (!equal(shape, launch.shape)) return false;
  for (let b = 0; b < strides.length; b++) if (!equal(strides[b]!, launch.args[b]!.strides)) return false;
  return true;
}

/** Compiles a contract of floats: one entry per way of reading the left operand and of walking the epilogue's operands along the columns. */
export function compileContract(program: ContractProgram, entries: Entries): Prepare {
  const plan = planContract(program);
  const sizes = program.bindings.map(({ dtype }) => bytesOf(dtype));
  const variants = new Map<string, Compiled>();
  const known: Known[] = [];
  let fold: Prepare | undefined;
  const learn = (launch: Launch, threads: number): Known => {
    const cut = cutContract(plan, launch, threads, entries.features);
    const key = `${cut.direct}${cut.walks.slice(2).join("")}`;
    let entry = variants.get(key);
    if (!entry && !cut.unpacked && !cut.empty) {
      entry = entries.compile(emitContract(plan, cut, entries.features));
      variants.set(key, entry);
    }
    const one = { shape: [...launch.shape], strides: launch.args.map(({ strides }) => [...strides]), cut, entry };
    if (known.length === mostKnown) known.length = 0;
    known.push(one);
    return one;
  };
  return (launch, queue) => {
    let found: Known | undefined;
    for (let n = 0; n < known.length && !found; n++) if (fits(known[n]!, launch)) found = known[n];
    const { cut, entry } = found ?? learn(launch, queue.threads);
    if (cut.empty) return;
    if (cut.unpacked) {
      fold ??= compileFold(asFold(program), entries);
      return fold(launch, queue);
    }
    const p = queue.parameters(plan.bytes, program, launch);
    queue.addresses(p + plan.bases, launch, sizes);
    queue.words(p + plan.cut, cut.words, 1);
    queue.add(entry!, p, cut.units, cut.cost, cut.grain);
  };
}
