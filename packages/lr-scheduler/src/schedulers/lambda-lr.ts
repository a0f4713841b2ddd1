import { CurveScheduler } from "../core/curve-scheduler.ts";
import { type LambdaArgument, type LambdaOptions, lambdaAt, lambdaFields, lambdaTable, named } from "../core/lambda.ts";
import type { ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import type { Fields } from "../core/state.ts";

export type LambdaLROptions = LambdaOptions & ResumeOptions;

/**
 * `lr(e) = base × lrLambda(e)`. Edits of the lr last until the next step.
 *
 * `lrLambda` is one function for all groups, or a list, one per group. Functions are not saved; properties set on them
 * are. Source: torch.optim.lr_scheduler.LambdaLR.
 *
 * @example new LambdaLR(optimizer, (epoch) => 0.95 ** epoch)
 */
export class LambdaLR extends CurveScheduler<LambdaOptions> {
  constructor(optimizer: Schedulable, lrLambda: LambdaArgument<LambdaLROptions>) {
    super("LambdaLR", optimizer, named(lrLambda), lambdaTable);
  }

  protected at(i: number, epoch: number): number {
    return this.baseLrs[i]! * lambdaAt(this.title, this.options, i, this.optimizer)(epoch);
  }

  protected override ownFields(): Fields {
    return lambdaFields(this.options, this.optimizer);
  }
}
