import type { ContractProgram } from "@descent/backend";
import { widthOf } from "../emit/body.ts";
import { bytesOf } from "../emit/storage.ts";
import { asFold } from "./contract-as-fold.ts";
import { emitContract } from "./contract-code.ts";
import { cutContract, hasRoom, planContract } from "./contract-plan.ts";
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

/** Compiles a contract of floats: one entry per way of reading the left operand and of walking the epilogue's operands along the columns. */
export function compileContract(program: ContractProgram, entries: Entries): Prepare {
  const plan = planContract(program);
  const sizes = program.bindings.map(({ dtype }) => bytesOf(dtype));
  const variants = new Map<string, Compiled>();
  let fold: Prepare | undefined;
  return (launch, queue) => {
    const cut = cutContract(plan, launch, queue.threads, entries.features);
    if (cut.empty) return;
    if (cut.unpacked) {
      fold ??= compileFold(asFold(program), entries);
      return fold(launch, queue);
    }
    const key = `${cut.direct}${cut.walks.slice(2).join("")}`;
    let entry = variants.get(key);
    if (!entry) {
      entry = entries.compile(emitContract(plan, cut, entries.features));
      variants.set(key, entry);
    }
    const p = queue.parameters(plan.bytes, program, launch);
    queue.addresses(p + plan.bases, launch, sizes);
    queue.words(p + plan.cut, cut.words, 1);
    queue.add(entry, p, cut.units, cut.cost, cut.grain);
  };
}
