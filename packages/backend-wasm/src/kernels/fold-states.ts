import type { Code } from "../asm/code.ts";
import type { FoldContext } from "./fold-context.ts";
import { lanePlaces, type Running } from "./fold-lanes.ts";
import type { Pass } from "./fold-passes.ts";
import { running } from "./fold-reducers.ts";

/** The states of the folds of a pass, each of which takes up to `ways` vectors at a time. */
export const makeStates = ({ v, program: { body }, across }: FoldContext, { folds }: Pass, ways: number): Running[] =>
  folds.map((id) => running(v, body[id]!.op, body[body[id]!.args[0]!]!.type, across, ways));

/** Vectors of elements on their way into the states of the `folds` of a pass. */
export class Gathered {
  readonly #c: FoldContext;
  readonly #folds: readonly number[];
  readonly #states: readonly Running[];
  readonly #values: Code[][];
  readonly #places: Code[][];

  constructor(c: FoldContext, folds: readonly number[], states: readonly Running[]) {
    this.#c = c;
    this.#folds = folds;
    this.#states = states;
    this.#values = states.map(() => []);
    this.#places = states.map(() => []);
  }

  /** Takes what the folds need of one vector, which is at `place` in its row. */
  add(values: readonly Code[], place: Code): void {
    const { v, program, across } = this.#c;
    this.#folds.forEach((id, k) => {
      const { op, args } = program.body[id]!;
      this.#values[k]!.push(values[args[0]!]!);
      this.#places[k]!.push(op.startsWith("fold.arg") ? v.keep(lanePlaces(v, place, across)) : 0);
    });
  }

  /** Gives the states what was taken. */
  flush(): void {
    this.#states.forEach((state, k) => {
      state.add(this.#values[k]!.splice(0), this.#places[k]!.splice(0));
    });
  }
}
