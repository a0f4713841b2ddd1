import type { FoldProgram } from "@descent/backend";
import { bytesOf } from "../emit/storage.ts";
import type { Compiled, Entries, Prepare } from "./entry.ts";
import { emitFold } from "./fold-code.ts";
import { planFold, shapeFold } from "./fold-plan.ts";
import { elementCost } from "./layout.ts";

/** Compiles a fold: one entry per choice of the lanes' axis and way of walking it. */
export function compileFold(program: FoldProgram, entries: Entries): Prepare {
  const plan = planFold(program);
  const sizes = program.bindings.map(({ dtype }) => bytesOf(dtype));
  const perElement = elementCost(program);
  const variants = new Map<string, Compiled>();
  return (launch, queue) => {
    const p = queue.parameters(plan.bytes, program, launch);
    queue.addresses(p + plan.bases, launch, sizes);
    const shape = shapeFold(plan, launch, p, queue);
    if (shape.rows === 0) return;
    const key = `${shape.across}${shape.saves}${shape.walks.join("")}`;
    let entry = variants.get(key);
    if (!entry) {
      entry = entries.compile(emitFold(plan, shape, entries.features));
      variants.set(key, entry);
    }
    const cost = 5 + shape.width * perElement;
    queue.add(entry, p, shape.rows, cost, shape.across ? 1 : 64);
  };
}
