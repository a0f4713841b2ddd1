import { DescentError, type Program } from "@descent/backend";
import { compileContract, isPackable } from "./contract.ts";
import { asFold } from "./contract-as-fold.ts";
import type { Entries, Prepare } from "./entry.ts";
import { compileFold } from "./fold.ts";
import { compileMap } from "./map.ts";

/** Makes a program ready to launch. */
export function compileProgram(program: Program, entries: Entries): Prepare {
  switch (program.kind) {
    case "map":
      return compileMap(program, entries);
    case "contract":
      return isPackable(program) ? compileContract(program, entries) : compileFold(asFold(program), entries);
    case "fold":
      return compileFold(program, entries);
    default:
      return fail(program);
  }
}
function fail(program: Program): never {
  throw new DescentError("unsupported", "compile", "not yet", { kind: program.kind });
}
