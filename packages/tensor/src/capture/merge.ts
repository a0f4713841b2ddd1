import { sizeOf } from "@descent/backend";
import type { Runtime } from "../runtime.ts";
import type { KeyUse } from "./compare.ts";
import { type Cell, cellsOf, type Member, mergedStep } from "./merged-map.ts";
import type { CallStep, LaunchStep, Recording, Temporary } from "./recording.ts";

/** Recorded steps after merging, with what is fresh among the numbers of each. */
export interface Merged {
  readonly steps: readonly (LaunchStep | CallStep)[];
  readonly uses: readonly (readonly KeyUse[])[];
}

/** Larger programs gain nothing, and are slow to compile. */
const most = { bindings: 16, instructions: 300 };

/** Element types that hold just what is computed: a value is the same after it was stored and loaded. */
const exact = new Set(["float32", "float64", "int32", "uint32", "bool"]);

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const sameElements = (a: Cell, b: Cell): boolean =>
  a.access === b.access &&
  a.access !== "single" &&
  a.arg.offset === b.arg.offset &&
  equal(a.arg.strides, b.arg.strides) &&
  !a.arg.strides.includes(0);

/** Neighbouring maps over one index space, as they are found. */
class Group {
  readonly members: Member[] = [];
  readonly #cells: (Cell & { readonly member: Member })[] = [];
  #instructions = 0;
  /** The index space; another one of the same size will do while no member minds. */
  #shape: readonly number[] = [];
  #minds = false;

  get shape(): readonly number[] {
    return this.#shape;
  }

  /** Whether `next` may run in one launch with the members: what either writes, the other meets at the same element. */
  takes(next: Member): boolean {
    if (this.members.length === 0) return true;
    const { shape } = next.step.launch;
    if (sizeOf(shape) !== sizeOf(this.#shape)) return false;
    if (this.#minds && minds(next) && !equal(shape, this.#shape)) return false;
    if (this.#instructions + next.program.body.length > most.instructions) return false;
    const own = cellsOf(next);
    if (this.#cells.length + own.length > most.bindings) return false;
    return own.every((cell) =>
      this.#cells.every((other) => {
        if (cell.place !== other.place || !(cell.writes || other.writes)) return true;
        const dtype = other.binding.dtype;
        // A number that is stored as it came is rounded by the store alone.
        return sameElements(cell, other) && exact.has(dtype) && !(other.writes && storesUniform(other));
      }),
    );
  }

  add(member: Member): void {
    if (this.members.length === 0 || !this.#minds) this.#shape = member.step.launch.shape;
    this.#minds ||= minds(member);
    this.members.push(member);
    for (const cell of cellsOf(member)) this.#cells.push({ ...cell, member });
    this.#instructions += member.program.body.length;
  }
}

/** Whether a map cares how its index space is cut into axes: not where all memory is walked in one go. */
const minds = ({ program }: Member): boolean =>
  program.bindings.some(({ access }) => access !== "flat" && access !== "single") ||
  program.body.some(({ op, imm }) => op === "index" && imm !== -1);

const storesUniform = ({ member, at }: Cell & { readonly member: Member }): boolean =>
  member.program.stores.some(
    ({ binding, value }) => binding === at && ["uniform", "const"].includes(member.program.body[value]?.op ?? ""),
  );

/**
 * Lets element-wise launches that follow each other over one index space run as one: what one computes, the next takes from a register,
 * and what nobody else needs is never stored. Every operation rounds as before, so results are the same. `needed`: whether
 * a temporary is looked at from outside.
 */
export function mergeMaps(
  recording: Recording,
  uses: readonly (readonly KeyUse[])[],
  needed: (temporary: Temporary) => boolean,
): Merged {
  const runtime = recording.runtime as Runtime;
  const merged = { steps: [] as (LaunchStep | CallStep)[], uses: [] as (readonly KeyUse[])[] };
  let group = new Group();
  let start = 0;
  const flush = (end: number): void => {
    const { members } = group;
    const inside = (temporary: Temporary) => temporary.first >= start && temporary.last < end && !needed(temporary);
    if (members.length > 1) {
      const [step, keys] = mergedStep(runtime, members, group.shape, inside);
      merged.steps.push(step);
      merged.uses.push(keys);
    } else {
      for (const { step, keys } of members) {
        merged.steps.push(step);
        merged.uses.push(keys);
      }
    }
    group = new Group();
  };
  recording.steps.forEach((step, i) => {
    const program = step.kind === "launch" ? step.launch.kernel.program : null;
    const member = step.kind === "launch" && program?.kind === "map" ? { step, program, keys: uses[i] ?? [] } : null;
    if (!member || !group.takes(member)) flush(i);
    if (group.members.length === 0) start = i;
    if (member) group.add(member);
    else {
      merged.steps.push(step);
      merged.uses.push(uses[i] ?? []);
    }
  });
  flush(recording.steps.length);
  return merged;
}
