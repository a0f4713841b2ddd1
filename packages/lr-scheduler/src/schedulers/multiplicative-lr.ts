import { CurveScheduler } from "../core/curve-scheduler.ts";
import { DescentError } from "../core/error.ts";
import { type LambdaArgument, type LambdaOptions, lambdaAt, lambdaFields, lambdaTable, named } from "../core/lambda.ts";
import type { ResumeOptions } from "../core/options.ts";
import type { Schedulable } from "../core/schedulable.ts";
import type { Fields } from "../core/state.ts";

export type MultiplicativeLROptions = LambdaOptions & ResumeOptions;

/**
 * `lr(e) = lr(e − 1) × lrLambda(e)`, beginning with `lr(0) = base`. The lr found is what is multiplied, so edits last.
 *
 * `lrLambda` is one function for all groups, or a list, one per group.
 * Source: torch.optim.lr_scheduler.MultiplicativeLR. Unlike there, a phase of SequentialLR begins at the base lr.
 *
 * @example new MultiplicativeLR(optimizer, () => 0.95)
 */
export class MultiplicativeLR extends CurveScheduler<LambdaOptions> {
  constructor(optimizer: Schedulable, lrLambda: LambdaArgument<MultiplicativeLROptions>) {
    super("MultiplicativeLR", optimizer, named(lrLambda), lambdaTable);
  }

  protected at(i: number, epoch: number): number {
    return this.next(this.optimizer.paramGroups[i]!.lr, i, epoch);
  }

  protected override initial(lr: number): number {
    return lr;
  }

  protected override next(lr: number, i: number, epoch: number): number {
    return lr * lambdaAt(this.title, this.options, i, this.optimizer)(epoch);
  }

  /** @internal */
  override move(by: number): void {
    if (by === 1) return super.move(by);
    const hint = "Use LambdaLR, whose function gives the lr of any epoch.";
    throw new DescentError("argument", this.title, "advances by whole epochs only", { amount: by }, hint);
  }

  protected override ownFields(): Fields {
    return lambdaFields(this.options, this.optimizer);
  }
}
