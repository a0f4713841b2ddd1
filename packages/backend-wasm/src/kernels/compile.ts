import type { Program } from "@descent/backend";
import { compileContract, isPackable } from "./contract.ts";
import { asFold } from "./contract-as-fold.ts";
import type { Entries, Prepare } from "./entry.ts";
import { compileFold } from "./fold.ts";
import { compileIndexed } from "./indexed.ts";
import { isStrided } from "./layout.ts";
import { compileMap } from "./map.ts";
import { remembering } from "./remember.ts";
import { compileScan } from "./scan.ts";
import { compileSort } from "./sort.ts";

/** Makes a program ready to launch. */
export function compileProgram(program: Program, entries: Entries): Prepare {
  const prepare = preparing(program, entries);
  // A flat map has next to nothing to prepare.
  return program.kind === "map" && !program.bindings.some(isStrided) ? prepare : remembering(prepare);
}

function preparing(program: Program, entries: Entries): Prepare {
  switch (program.kind) {
    case "map":
      return compileMap(program, entries);
    case "fold":
      return compileFold(program, entries);
    case "contract":
      return isPackable(program) ? compileContract(program, entries) : compileFold(asFold(program), entries);
    case "gather":
    case "scatter":
      return compileIndexed(program, entries);
    case "scan":
      return compileScan(program, entries);
    case "sort":
      return compileSort(program, entries);
  }
}
