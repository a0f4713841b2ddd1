import type { FoldProgram, Instruction, Schedule } from "@descent/backend";
import { schedule } from "@descent/backend";
import { weightOf } from "./layout.ts";

/** One pass over the elements of a row. */
export interface Pass {
  /** Instructions to evaluate, in order; what `loads` has comes from scratch memory. */
  readonly element: readonly number[];
  readonly loads: readonly number[];
  /** Values that later passes load. */
  readonly saves: readonly number[];
  readonly folds: readonly number[];
  readonly row: readonly number[];
  /** What a vector takes, in simple instructions. */
  readonly weight: number;
}

export interface Passes extends Omit<Schedule, "stages"> {
  readonly stages: readonly Pass[];
  /** Values in scratch memory. */
  readonly saved: readonly number[];
}

/** Orders a fold into passes. With `save`, what took long and is needed again is kept in scratch memory rather than evaluated twice. */
export function passesOf(program: FoldProgram, save: boolean): Passes {
  const order = schedule(program);
  const known = new Set<number>();
  const needed: Set<number>[] = [];
  const stages = order.stages.map(({ element, folds, row }, pass) => {
    const argsOf = (id: number) => (program.body[id] as Instruction).args;
    const stored = pass === order.stages.length - 1 ? order.elementStores.map(({ value }) => value) : [];
    const wanted = new Set([...folds.flatMap(argsOf), ...stored]);
    for (const id of [...element].reverse()) {
      if (wanted.has(id) && !known.has(id)) for (const arg of argsOf(id)) wanted.add(arg);
    }
    const ids = element.filter((id) => wanted.has(id));
    const loads = ids.filter((id) => known.has(id));
    needed.push(new Set(loads));
    const fresh = ids.filter((id) => !known.has(id));
    if (save) for (const id of fresh) if (isSlow(program.body[id]!)) known.add(id);
    return { element: fresh, loads, folds, row, weight: weightOf(fresh.map((id) => program.body[id]!)) };
  });
  const later = (pass: number, id: number) => needed.slice(pass + 1).some((loads) => loads.has(id));
  const withSaves = stages.map(
    (stage, pass): Pass => ({ ...stage, saves: stage.element.filter((id) => later(pass, id)) }),
  );
  return { ...order, stages: withSaves, saved: withSaves.flatMap(({ saves }) => saves) };
}

const mostVectors = 4;
const longest = 40;
/** How many vectors are worked on at a time where one takes `weight` simple instructions: as many as hide latencies, without much code. */
export const vectorsFor = (weight: number): number => [mostVectors, 2].find((count) => count * weight <= longest) ?? 1;

/** Floats that are worth more than a load. */
const isSlow = (instruction: Instruction): boolean =>
  (instruction.type === "f32" || instruction.type === "f64") && weightOf([instruction]) > 4;
