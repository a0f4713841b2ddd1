import type { MapProgram } from "@descent/backend";
import { declarations, invariants, type Places, storing } from "./body.ts";
import { type Cursor, nest } from "./loops.ts";
import { countingSteps, levels, product, prologue, range, stridedCursor } from "./space.ts";

/** One loop where everything is flat; nested loops with one running position per strided binding otherwise. */
export function emitMap(program: MapProgram): string {
  const { bindings, body, rank, stores } = program;
  const axes = range(0, rank);
  const flat =
    bindings.every(({ access }) => access !== "strided") && body.every(({ op, imm }) => op !== "index" || imm === -1);
  const counted =
    bindings.some(({ access }) => access === "flat") || body.some(({ op, imm }) => op === "index" && imm === -1);
  const cursors: Cursor[] = flat
    ? []
    : bindings.flatMap(({ access }, k) => (access === "strided" ? [stridedCursor(`p${k}`, `o${k}`, k, axes)] : []));
  // The innermost loop alone counts: the count runs on from one line to the next.
  if (counted && !flat) cursors.push({ name: "count", start: "0", steps: countingSteps(axes, axes) });
  const places: Places = {
    address: (k) =>
      ({ flat: `o${k} + count`, strided: `p${k}`, single: `o${k}` })[
        bindings[k]!.access as "flat" | "strided" | "single"
      ],
    index: (axis) => (axis === -1 ? "count" : `i${axis}`),
  };
  const fixed = invariants(program);
  const inside = [
    declarations(
      program,
      range(0, body.length).filter((id) => !fixed.has(id)),
      places,
    ),
    storing(program, stores, places),
  ].join("\n");
  return [
    prologue(bindings, rank, ({ access }) => (access === "strided" ? rank : 0)),
    declarations(program, fixed, places),
    nest(flat ? [{ index: "count", extent: product(axes) }] : levels(axes), cursors, inside),
  ].join("\n");
}
