import { join } from "node:path";
import { bundle } from "../bundle.ts";

/** A script that runs `report`, on the tests that `only` matches, and prints what comes out. */
export function program(only = ""): Promise<string> {
  const path = JSON.stringify(join(import.meta.dirname, "program.ts"));
  return bundle(`import { report } from ${path};
    report(new RegExp(${JSON.stringify(only)})).then((found) => console.log(JSON.stringify(found)));`);
}
