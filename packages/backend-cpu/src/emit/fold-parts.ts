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

/** The element part of one pass: values fetched from an earlier one, values evaluated, and which of these a later one fetches. */
export interface Pass {
  readonly fetched: readonly number[];
  readonly evaluated: readonly number[];
  readonly saved: readonly number[];
}

/** What both emitters of a fold need to know about it. */
export interface FoldParts {
  readonly plan: Schedule;
  /** Instructions computed once for the whole launch. */
  readonly fixed: ReadonlySet<number>;
  readonly kept: readonly number[];
  readonly inner: readonly number[];
  readonly foldsOf: (stage: Stage) => FoldOf[];
  /** What a pass evaluates per element when costly values of earlier passes are kept. */
  readonly passes: readonly Pass[];
  /** Whether a loop body is light enough, and its folds free enough in order, to keep several running parts. */
  readonly splits: (stage: Stage) => boolean;
}

/** Longest body that is repeated to keep several running parts: in long ones nothing waits for the running part. */
const longestSplit = 12;

/** Operations that cost more than storing and loading a number. */
const costly = new Set<string>([
  ...["exp", "expm1", "log", "log1p", "log2", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh"],
  ...["tanh", "asinh", "acosh", "atanh", "erf", "erfc", "pow", "fmod", "remainder"],
]);

/** Element values do not outlive a pass by themselves: a softmax would take each exponential twice. */
function passesOf({ body }: FoldProgram, { stages, elementStores }: Schedule): Pass[] {
  const perElement = new Set(stages.flatMap(({ element }) => element));
  const first = new Map<number, number>();
  stages.forEach(({ element }, pass) => {
    for (const id of element) if (!first.has(id)) first.set(id, pass);
  });
  const passes = stages.map(({ folds }, pass) => {
    const fetched = new Set<number>();
    const evaluated = new Set<number>();
    const visit = (id: number): void => {
      if (!perElement.has(id) || fetched.has(id) || evaluated.has(id)) return;
      if (costly.has(body[id]!.op) && first.get(id)! < pass) {
        fetched.add(id);
        return;
      }
      evaluated.add(id);
      for (const arg of body[id]!.args) visit(arg);
    };
    for (const id of folds) for (const arg of body[id]!.args) visit(arg);
    if (pass === stages.length - 1) for (const { value } of elementStores) visit(value);
    return { fetched: [...fetched], evaluated: [...evaluated].sort((a, b) => a - b) };
  });
  const wanted = new Set(passes.flatMap(({ fetched }) => fetched));
  return passes.map((pass) => ({ ...pass, saved: pass.evaluated.filter((id) => wanted.has(id)) }));
}

export function foldParts(program: FoldProgram): FoldParts {
  const { body, rank, reduced } = program;
  const foldsOf = ({ folds }: Stage): FoldOf[] =>
    folds.map((id) => {
      const { op, args } = body[id]!;
      return { id, reducer: op.slice(5) as Reducer, of: args[0]!, type: body[args[0]!]!.type };
    });
  const plan = schedule(program);
  return {
    plan,
    passes: passesOf(program, plan),
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
