import { DescentError } from "./error.ts";
import { callable, type OptionTable, orListOf, type PerGroup, pick } from "./options.ts";
import type { Schedulable } from "./schedulable.ts";
import type { Fields, StateDict } from "./state.ts";

/** A factor for each epoch. Own properties of the function are saved with the scheduler. */
export type LrLambda = (epoch: number) => number;

export interface LambdaOptions {
  /** One function for all groups, or one per group. */
  lrLambda: PerGroup<LrLambda>;
}

export type LambdaArgument<O> = PerGroup<LrLambda> | O;

export const lambdaTable: OptionTable<LambdaOptions> = { lrLambda: { rule: orListOf(callable) } };

/** Lets the function stand alone as second argument, as in PyTorch. */
export const named = <O extends LambdaOptions>(argument: LambdaArgument<O>): O | LambdaOptions =>
  typeof argument === "function" || Array.isArray(argument) ? { lrLambda: argument } : (argument as O);

/** The function of group `i`, checked to return a number. */
export const lambdaAt =
  (title: string, { lrLambda }: LambdaOptions, i: number, { paramGroups }: Schedulable): LrLambda =>
  (epoch) => {
    const factor = pick(title, "lrLambda", lrLambda, i, paramGroups.length)(epoch);
    if (typeof factor === "number" && Number.isFinite(factor)) return factor;
    const hint = "It is given the epoch and returns a factor of the lr.";
    const facts = { group: i, epoch, factor };
    throw new DescentError("numeric", title, "lrLambda did not return a finite number", facts, hint);
  };

export function lambdaFields({ lrLambda }: LambdaOptions, { paramGroups }: Schedulable): Fields {
  const lambdas = typeof lrLambda === "function" ? paramGroups.map(() => lrLambda) : lrLambda;
  return {
    lr_lambdas: {
      get: () => lambdas.map((lambda) => (Object.keys(lambda).length > 0 ? { ...lambda } : null)),
      set: (saved: (StateDict | null)[]) => {
        for (const [i, lambda] of lambdas.entries()) Object.assign(lambda, saved[i]);
      },
    },
  };
}
