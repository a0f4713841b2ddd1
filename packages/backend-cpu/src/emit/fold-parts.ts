import {
  type FoldProgram,
  type Instruction,
  type Reducer,
  type Schedule,
  type Stage,
  schedule,
} from "@descent/backend";
import { invariants } from "./body.ts";
import { isInteger } from "./ops.ts";
import { range } from "./space.ts";

/** One fold instruction: how it folds, what it folds, and the type of that. */
export interface FoldOf {
  readonly id: number;
  readonly reducer: Reducer;
  readonly of: number;
  readonly type: Instruction["type"];
}

/** What both emitters of a fold need to know about it. */
export interface FoldParts {
  readonly plan: Schedule;
  /** Instructions computed once for the whole launch. */
  readonly fixed: ReadonlySet<number>;
  readonly kept: readonly number[];
  readonly inner: readonly number[];
  readonly foldsOf: (stage: Stage) => FoldOf[];
  /** Whether a loop body is light enough, and its folds free enough in order, to keep several running parts. */
  readonly splits: (stage: Stage) => boolean;
}

/** Longest body that is repeated to keep several running parts: in long ones nothing waits for the running part. */
const longestSplit = 12;

export function foldParts(program: FoldProgram): FoldParts {
  const { body, rank, reduced } = program;
  const foldsOf = ({ folds }: Stage): FoldOf[] =>
    folds.map((id) => {
      const { op, args } = body[id]!;
      return { id, reducer: op.slice(5) as Reducer, of: args[0]!, type: body[args[0]!]!.type };
    });
  return {
    plan: schedule(program),
    fixed: invariants(program),
    kept: range(0, rank - reduced),
    inner: range(rank - reduced, rank),
    foldsOf,
    splits: (stage) =>
      stage.folds.length > 0 &&
      stage.element.length * stage.folds.length <= longestSplit &&
      foldsOf(stage).every(
        ({ reducer, type }) => !reducer.startsWith("arg") && !(isInteger(type) && reducer !== "sum"),
      ),
  };
}
