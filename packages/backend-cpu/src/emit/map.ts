import type { MapProgram } from "@descent/backend";
import { declarations, invariants, type Places, storing } from "./body.ts";
import { type Cursor, nest } from "./loops.ts";
import { countingSteps, levels, product, prologue, range, stridedCursor } from "./space.ts";

/** Longest body that the flat loop repeats, to spend less of its time on looping. */
const shortBody = 8;

/** One loop where everything is flat; nested loops with one running position per strided binding otherwise. */
export function emitMap(program: MapProgram): string {
  const { bindings, body, rank } = program;
  const flat =
    bindings.every(({ access }) => access !== "strided") && body.every(({ op, imm }) => op !== "index" || imm === -1);
  return [
    prologue(bindings, rank, ({ access }) => (access === "strided" ? rank : 0)),
    declarations(program, invariants(program), outside),
    flat ? emitFlat(program) : emitStrided(program),
  ].join("\n");
}

/** Invariants touch single elements only. */
const outside: Places = { address: (k) => `o${k}`, index: String };

/** What is done per element. */
function inside(program: MapProgram, places: Places): string {
  const fixed = invariants(program);
  const ids = range(0, program.body.length).filter((id) => !fixed.has(id));
  return [declarations(program, ids, places), storing(program, program.stores, places)].join("\n");
}

/** Buffers are mostly used from their beginning; adding offsets of zero would take a third of the time. */
function emitFlat(program: MapProgram): string {
  const { bindings, body, rank } = program;
  const offsets = bindings.flatMap(({ access }, k) => (access === "flat" ? [`o${k}`] : []));
  const size = product(range(0, rank));
  const loop = (address: (k: number) => string) => {
    const code = inside(program, {
      address: (k) => (bindings[k]!.access === "single" ? `o${k}` : address(k)),
      index: () => "count",
    });
    return nest([{ index: "count", extent: size }], [], body.length > shortBody ? code : [code, code, code, code]);
  };
  const general = loop((k) => `o${k} + count`);
  if (offsets.length === 0) return general;
  return `if (${offsets.map((offset) => `${offset} === 0`).join(" && ")}) ${loop(() => "count")} else ${general}`;
}

function emitStrided(program: MapProgram): string {
  const { bindings, body, rank } = program;
  const axes = range(0, rank);
  const cursors: Cursor[] = bindings.flatMap(({ access }, k) =>
    access === "strided" ? [stridedCursor(`p${k}`, `o${k}`, k, axes)] : [],
  );
  // The innermost loop alone counts: the count runs on from one line to the next.
  if (bindings.some(({ access }) => access === "flat") || body.some(({ op, imm }) => op === "index" && imm === -1)) {
    cursors.push({ name: "count", start: "0", steps: countingSteps(axes, axes) });
  }
  const places: Places = {
    address: (k) => {
      const { access } = bindings[k]!;
      if (access === "flat") return `o${k} + count`;
      return access === "strided" ? `p${k}` : `o${k}`;
    },
    index: (axis) => (axis === -1 ? "count" : `i${axis}`),
  };
  return nest(levels(axes), cursors, inside(program, places));
}
