import { CurveScheduler } from "./curve-scheduler.ts";

/**
 * A scheduler that multiplies the base lr by a factor of the epoch.
 *
 * As long as nobody else touches the lr, it is `base × factor(epoch)`, free of drift. Where somebody has (another
 * scheduler, an edit), the lr found is multiplied by how much the factor changes, as PyTorch's chainable forms do. The lr
 * itself tells which case it is, so nothing beside it has to be saved.
 */
export abstract class FactorScheduler<O extends object> extends CurveScheduler<O> {
  protected abstract factor(epoch: number): number;

  /** By how much the factor changes between two epochs. Override where the factor itself may underflow. */
  protected ratio(epoch: number, previous: number): number {
    const [now, before] = [this.factor(epoch), this.factor(previous)];
    return now === before ? 1 : now / before;
  }

  protected at(i: number, epoch: number): number {
    return this.baseLrs[i]! * this.factor(epoch);
  }

  protected override initial(lr: number): number {
    return lr * this.factor(0);
  }

  protected override next(lr: number, i: number, epoch: number): number {
    if (lr === this.at(i, this.lastEpoch)) return this.at(i, epoch);
    const ratio = this.ratio(epoch, this.lastEpoch);
    // From a factor of 0 nothing can be multiplied back, only set.
    return Number.isFinite(ratio) ? lr * ratio : this.at(i, epoch);
  }
}
