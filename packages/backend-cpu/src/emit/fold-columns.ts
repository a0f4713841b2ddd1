import type { FoldProgram } from "@descent/backend";
import { declarations, operand, type Places, storing } from "./body.ts";
import { type FoldOf, type FoldParts, foldParts } from "./fold-parts.ts";
import { type Cursor, nest } from "./loops.ts";
import { finished, start, take } from "./reduce.ts";
import { countingSteps, levels, product, prologue, range, stridedCursor } from "./space.ts";

/** Rows that are folded side by side; what is running for each of them stays in the first-level cache. */
const block = 512;

/**
 * A fold, a block of rows at once: best where neighbouring elements belong to neighbouring rows, as in a sum over the first
 * axis of a matrix. What belongs to a row lives in lanes, one entry per row of the block.
 */
export function emitFoldColumns(program: FoldProgram): string {
  const { bindings, rank } = program;
  const fold = foldParts(program);
  const { kept, inner, plan, fixed } = fold;
  const last = kept.length - 1;
  const outer = kept.slice(0, -1);
  const side = { index: "j", extent: "rows" };
  const lanes = laneNames(program, fold);

  const strided = bindings.flatMap(({ access }, k) => (access === "strided" || access === "stridedRow" ? [k] : []));
  const cursors: Cursor[] = strided.map((k) => stridedCursor(`r${k}`, `o${k}`, k, outer));
  cursors.push({ name: "firstRow", start: "0", steps: countingSteps(kept, outer) });
  const places: Places = {
    address: (k) => {
      const { access } = bindings[k]!;
      if (access === "flat") return `o${k} + count`;
      if (access === "row") return `o${k} + row`;
      return access === "single" ? `o${k}` : `p${k}`;
    },
    index: (axis) => (axis === -1 ? "count" : axis === last ? "(j0 + j)" : `i${axis}`),
  };
  /** A loop over the rows of the block, around what is done once per row. */
  const perRow = (ids: readonly number[], folds: readonly FoldOf[], stores: string): string => {
    const own = ids.filter((id) => !fixed.has(id));
    const foldIds = folds.map(({ id }) => id);
    const code = [
      ...folds.map(
        ({ id, reducer }) => `const v${id} = ${finished(reducer, program.body[id]!.type, `f${id}[j]`, `k${id}[j]`)};`,
      ),
      lanes.keep(foldIds),
      lanes.read([...foldIds, ...own], stores),
      declarations(program, own, places),
      lanes.keep(own),
      stores,
    ].join("\n");
    const walk = [
      ...strided
        .filter((k) => bindings[k]!.access === "stridedRow")
        .map((k) => ({ name: `p${k}`, start: `r${k} + j0 * s${k}_${last}`, steps: [`s${k}_${last}`] })),
      { name: "row", start: "firstRow + j0", steps: ["1"] },
    ];
    return code.trim() === "" ? "" : nest([side], used(walk, code), code);
  };
  const stages = plan.stages.map((stage, pass) => {
    const folds = fold.foldsOf(stage);
    const stores = pass === plan.stages.length - 1 ? storing(program, plan.elementStores, places) : "";
    const own = [
      declarations(program, stage.element, places),
      ...folds.map(({ id, reducer, of, type }) =>
        take(reducer, type, `f${id}[j]`, operand(program.body, of), { now: "place", kept: `k${id}[j]` }),
      ),
      stores,
    ].join("\n");
    const code = `${lanes.read(stage.element, stores)}\n${own}`;
    const walk: Cursor[] = strided
      .filter((k) => bindings[k]!.access === "strided")
      .map((k) => stridedCursor(`p${k}`, `r${k} + j0 * s${k}_${last}`, k, [...inner, last]));
    walk.push({ name: "count", start: "(firstRow + j0) * width", steps: [...countingSteps(inner, inner), "width"] });
    walk.push({ name: "place", start: "0", steps: [...countingSteps(inner, inner), ""] });
    const rowStores = pass === plan.stages.length - 1 ? storing(program, plan.rowStores, places) : "";
    return [
      ...folds.map(({ id, reducer, type }) => `f${id}.fill(${start(reducer, type)}, 0, rows);`),
      ...folds.map(({ id, reducer }) => (reducer.startsWith("arg") ? `k${id}.fill(0, 0, rows);` : "")),
      nest([...levels(inner), side], used(walk, code), code),
      perRow(stage.row, folds, rowStores),
    ].join("\n");
  });
  const body = [
    `for (let j0 = 0; j0 < n${last}; j0 += ${block}) {`,
    `const rows = Math.min(${block}, n${last} - j0);`,
    perRow(plan.before, [], ""),
    ...stages,
    "}",
  ].join("\n");
  const strides = { strided: rank, stridedRow: kept.length, flat: 0, single: 0, row: 0 };
  return [
    prologue(bindings, rank, ({ access }) => strides[access]),
    `const width = ${product(inner)};`,
    declarations(program, fixed, places),
    ...lanes.names.map((name, k) => `const ${name} = lane(${k}, ${block});`),
    nest(levels(outer), cursors, body),
  ].join("\n");
}

/** The cursors that `code` mentions. */
const used = (cursors: readonly Cursor[], code: string): Cursor[] =>
  cursors.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(code));

/** Which per-row values need a lane, and the code that fills and reads them. */
function laneNames(program: FoldProgram, { plan, fixed, foldsOf }: FoldParts) {
  const { body } = program;
  const rowIds = new Set([...plan.before, ...plan.stages.flatMap(({ row, folds }) => [...folds, ...row])]);
  const isLane = (id: number) => rowIds.has(id) && !fixed.has(id) && body[id]!.op !== "const";
  const names = plan.stages.flatMap((stage) =>
    foldsOf(stage).flatMap(({ id, reducer }) => (reducer.startsWith("arg") ? [`f${id}`, `k${id}`] : [`f${id}`])),
  );
  names.push(
    ...range(0, body.length)
      .filter(isLane)
      .map((id) => `l${id}`),
  );
  return {
    names,
    /** Fetches what `ids` and the stores mention from earlier passes. */
    read: (ids: readonly number[], stores: string): string => {
      const own = new Set(ids);
      const wanted = new Set(ids.flatMap((id) => body[id]!.args));
      for (const [, id] of stores.matchAll(/\bv(\d+)\b/g)) wanted.add(Number(id));
      return [...wanted]
        .filter((id) => isLane(id) && !own.has(id))
        .map((id) => `const v${id} = l${id}[j]${body[id]!.type === "mask" ? " !== 0" : ""};`)
        .join("\n");
    },
    keep: (ids: readonly number[]): string =>
      ids
        .filter(isLane)
        .map((id) => `l${id}[j] = v${id}${body[id]!.type === "mask" ? " ? 1 : 0" : ""};`)
        .join("\n"),
  };
}
