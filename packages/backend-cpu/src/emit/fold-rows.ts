import type { FoldProgram } from "@descent/backend";
import { declarations, operand, type Places, storing } from "./body.ts";
import { type FoldParts, foldParts } from "./fold-parts.ts";
import { type Cursor, nest } from "./loops.ts";
import { finished, join, start, take } from "./reduce.ts";
import { countingSteps, levels, product, prologue, stridedCursor } from "./space.ts";

/** Running parts of a split fold. */
const parts = 4;

/** A fold, one row after the other: best where a row lies together in memory. */
export function emitFoldRows(program: FoldProgram): string {
  const { bindings, rank } = program;
  const fold = foldParts(program);
  const { kept, inner, plan, fixed } = fold;
  const cursors: Cursor[] = bindings.flatMap(({ access }, k) =>
    access === "strided" || access === "stridedRow" ? [stridedCursor(`r${k}`, `o${k}`, k, kept)] : [],
  );
  cursors.push({ name: "row", start: "0", steps: countingSteps(kept, kept) });
  const places: Places = {
    address: (k) => {
      const { access } = bindings[k]!;
      if (access === "flat") return `o${k} + count`;
      if (access === "strided") return `p${k}`;
      if (access === "row") return `o${k} + row`;
      return access === "stridedRow" ? `r${k}` : `o${k}`;
    },
    index: (axis) => (axis === -1 ? "count" : `i${axis}`),
  };
  const inside = [
    declarations(
      program,
      plan.before.filter((id) => !fixed.has(id)),
      places,
    ),
    ...plan.stages.map((_, pass) => emitStage(program, fold, pass, places)),
    storing(program, plan.rowStores, places),
  ].join("\n");
  const memory = fold.passes.flatMap(({ saved }) => saved);
  const strides = { strided: rank, stridedRow: kept.length, flat: 0, single: 0, row: 0 };
  return [
    prologue(bindings, rank, ({ access }) => strides[access]),
    `const width = ${product(inner)};`,
    ...memory.map((id, k) => `const m${id} = lane(${k}, width);`),
    declarations(program, fixed, places),
    nest(levels(kept), cursors, inside),
  ].join("\n");
}

/** One pass over a row, and what follows from it. */
function emitStage(program: FoldProgram, fold: FoldParts, pass: number, places: Places): string {
  const { bindings, body } = program;
  const { inner, plan } = fold;
  const stage = plan.stages[pass]!;
  const folds = fold.foldsOf(stage);
  const { fetched, evaluated, saved } = fold.passes[pass]!;
  const count = fold.splits(stage) ? parts : 1;
  const running = (id: number, part: number) => (part === 0 ? `f${id}` : `f${id}_${part}`);
  const cursors: Cursor[] = bindings.flatMap(({ access }, k) =>
    access === "strided" ? [stridedCursor(`p${k}`, `r${k}`, k, inner)] : [],
  );
  cursors.push({ name: "count", start: "row * width", steps: countingSteps(inner, inner) });
  cursors.push({ name: "place", start: "0", steps: countingSteps(inner, inner) });
  const stores = pass === plan.stages.length - 1 ? storing(program, plan.elementStores, places) : "";
  const bodies = Array.from({ length: count }, (_, part) =>
    [
      ...fetched.map((id) => `const v${id} = m${id}[place];`),
      declarations(program, evaluated, places),
      ...saved.map((id) => `m${id}[place] = v${id};`),
      ...folds.map(({ id, reducer, of, type }) =>
        take(reducer, type, running(id, part), operand(body, of), { now: "place", kept: `k${id}` }),
      ),
      stores,
    ].join("\n"),
  );
  const used = bodies[0]! + folds.map(({ reducer }) => reducer).join();
  return [
    ...folds.map(({ id, reducer, type }) => {
      const all = Array.from({ length: count }, (_, part) => `${running(id, part)} = ${start(reducer, type)}`);
      return `let ${[...all, ...(reducer.startsWith("arg") ? [`k${id} = 0`] : [])].join(", ")};`;
    }),
    nest(
      levels(inner),
      cursors.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(used)),
      bodies,
      folds.length > 0,
    ),
    ...folds.map(({ id, reducer, type }) => {
      const all = Array.from({ length: count }, (_, part) => running(id, part));
      const best = all.length === 1 ? all[0]! : join(reducer, type, all);
      return `const v${id} = ${finished(reducer, body[id]!.type, best, `k${id}`)};`;
    }),
    declarations(program, stage.row, places),
  ].join("\n");
}
