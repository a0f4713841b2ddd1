import type { Program } from "@descent/backend";
import { prepareContract } from "./contract.ts";
import { prepareFold } from "./fold.ts";
import { prepareGather, prepareScatter } from "./indexed.ts";
import { prepareMap } from "./map.ts";
import type { Prepare } from "./recorder.ts";
import { prepareScan } from "./scan.ts";
import { prepareSort } from "./sort.ts";

/** What turns launches of a program into dispatches. */
export function prepareProgram(program: Program): Prepare {
  switch (program.kind) {
    case "map":
      return prepareMap(program);
    case "fold":
      return prepareFold(program);
    case "gather":
      return prepareGather(program);
    case "scatter":
      return prepareScatter(program);
    case "scan":
      return prepareScan(program);
    case "sort":
      return prepareSort(program);
    case "contract":
      return prepareContract(program);
  }
}
