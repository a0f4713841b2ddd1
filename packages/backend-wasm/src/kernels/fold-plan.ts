import type { FoldProgram, Launch } from "@descent/backend";
import { collapse, sizeOf } from "@descent/backend";
import { bytesOf } from "../emit/storage.ts";
import type { Queue } from "./entry.ts";
import { type Passes, passesOf } from "./fold-passes.ts";
import { savesFit } from "./fold-saved.ts";
import { cheapCost, elementCost, isStrided, Layout, type Walk, walkOf } from "./layout.ts";

/**
 * As the axis of an `index` instruction: the number of the row. Lies between axes, so that `schedule` takes it for one of the kept
 * axes, which the linear index (−1) is not.
 */
export const rowNumber = 0.5;

/** Where things lie in the parameters of a fold. There is always at least one kept and one reduced axis. */
export interface FoldPlan {
  readonly program: FoldProgram;
  readonly kept: number;
  readonly reduced: number;
  readonly bases: number;
  /** Elements of a row. */
  readonly width: number;
  readonly extents: number;
  /** Strides over the kept axes, then (element bindings) over the reduced ones; −1 where a binding has none. */
  readonly strides: readonly number[];
  readonly usesAxes: boolean;
  /** Its passes, without and with values saved from one to the next. */
  readonly passes: Passes;
  readonly saving: Passes;
  /** Whether many columns can be walked at a time, their states in memory. */
  readonly columns: boolean;
  /** Instructions per vector of elements, roughly. */
  readonly bodyCost: number;
  readonly bytes: number;
}

export function planFold(program: FoldProgram): FoldPlan {
  const kept = Math.max(1, program.rank - program.reduced);
  const reduced = Math.max(1, program.reduced);
  const layout = new Layout(program);
  const bases = layout.words(program.bindings.length);
  const width = layout.words(1);
  const extents = layout.words(kept + reduced);
  const strides = program.bindings.map((binding) => (isStrided(binding) ? layout.words(kept + reduced) : -1));
  const usesAxes = program.body.some(({ op, imm }) => op === "index" && imm !== -1 && imm !== rowNumber);
  const bodyCost = elementCost(program) / cheapCost;
  const [passes, saving] = [passesOf(program, false), passesOf(program, true)];
  const columns = !program.body.some(({ op }) => op === "index");
  const places = { bases, width, extents, strides, bytes: layout.bytes };
  return { program, kept, reduced, ...places, usesAxes, passes, saving, columns, bodyCost };
}

/** Which axis the lanes of a vector run along, and how every strided binding moves along it. */
export interface FoldShape {
  /** `across`: lanes are elements of one row; otherwise they are neighbouring rows. */
  readonly across: boolean;
  readonly walks: readonly Walk[];
  /** Whether values are saved from one pass to the next. */
  readonly saves: boolean;
  /** Whether lanes are neighbouring rows, of which many are walked at a time. */
  readonly columns: boolean;
  readonly rows: number;
  readonly width: number;
}

/** Cost of loading or storing a vector by single lanes, in instructions; and of beginning and ending a row. */
const laneCost = 6;
const rowCost = 20;

/** Merges axes, writes the parameters, and chooses the axis of the lanes. */
export function shapeFold(plan: FoldPlan, launch: Launch, p: number, queue: Queue): FoldShape {
  const { program, kept, reduced } = plan;
  const { bindings, rank } = program;
  const own = rank - program.reduced;
  const strided = bindings.flatMap((binding, b) => (isStrided(binding) ? [b] : []));
  const strides = strided.map((b) => {
    const given = launch.args[b]!.strides;
    return given.length === rank ? given : [...given, ...launch.shape.slice(own).map(() => 0)];
  });
  const merged = plan.usesAxes
    ? { shape: launch.shape, operands: strides, fences: [0, own] }
    : collapse(launch.shape, strides, [0, own]);
  const split = merged.fences[1]!;
  const [outer, inner] = [merged.shape.slice(0, split), merged.shape.slice(split)];
  queue.words(p + plan.extents, outer, 1, kept - outer.length, 1);
  queue.words(p + plan.extents + 4 * kept, inner, 1, reduced - inner.length, 1);
  const [rows, width] = [sizeOf(outer), sizeOf(inner)];
  queue.words(p + plan.width, [width], 1);
  const [lastKept, lastReduced] = [outer.at(-1) ?? 1, inner.at(-1) ?? 1];
  // Per vector of elements: the body, and its loads and stores.
  let [costAcross, costAlong] = [plan.bodyCost, plan.bodyCost];
  const acrossWalks: Walk[] = [];
  const alongWalks: Walk[] = [];
  const cost = (walk: Walk) => (walk === "n" ? laneCost : 1);
  strided.forEach((b, k) => {
    const all = merged.operands[k]!;
    const [onKept, onReduced] = [all.slice(0, split), all.slice(split)];
    const size = bytesOf(bindings[b]!.dtype);
    queue.words(p + plan.strides[b]!, onKept, size, kept - onKept.length, 0);
    queue.words(p + plan.strides[b]! + 4 * kept, onReduced, size, reduced - onReduced.length, 0);
    acrossWalks[b] = walkOf(onReduced.at(-1) ?? 0, lastReduced);
    alongWalks[b] = walkOf(onKept.at(-1) ?? 0, lastKept);
    if (bindings[b]!.access !== "strided") return;
    costAcross += cost(acrossWalks[b]!);
    costAlong += cost(alongWalks[b]!);
  });
  const flat = bindings.filter(({ access }) => access === "flat").length;
  costAcross += flat;
  costAlong += flat * (width === 1 ? 1 : laneCost);
  // Across a row, what is left of it goes element by element; along four rows nothing is left.
  const visits = Math.floor(lastReduced / 4) + (lastReduced % 4);
  const perRow = visits * costAcross + rowCost;
  const along = (lastReduced * costAlong + rowCost) / 4;
  const across = lastKept < 4 || perRow <= along;
  const walks = across ? acrossWalks : alongWalks;
  const { saved } = plan.saving;
  const saves = saved.length > 0 && savesFit(saved.length, width, across);
  const columns = plan.columns && !across && flat === 0 && !strided.some((b) => walks[b] === "n");
  return { across, walks, saves, columns, rows, width };
}
