import { DescentError } from "./error.ts";
import { checkValue, positive } from "./options.ts";
import {
  changedOutside,
  checkSchedulable,
  noteLrs,
  readLrs,
  remember,
  type Schedulable,
  setLr,
} from "./schedulable.ts";
import { checkFields, type Fields, lrList, readFields, type StateDict, writeFields } from "./state.ts";
import { warnIfNotStepped, watchSteps } from "./warnings.ts";

/**
 * What all schedulers share: an optimizer, an epoch, the last lrs, saving and loading. To write a scheduler, extend
 * FactorScheduler or CurveScheduler.
 */
export abstract class LRScheduler {
  readonly optimizer: Schedulable;
  /** The epoch whose lr is in the groups: 0 after construction, one more after each step. */
  abstract readonly lastEpoch: number;
  /** The lrs after the last step, one per group. */
  protected lastLr: number[];
  /** Name of the class, for messages: class names do not survive minification. */
  protected readonly title: string;
  /** Steps taken, the one that construction counts as included. */
  protected stepCount = 1;
  private skips: () => boolean = () => false;

  constructor(title: string, optimizer: Schedulable) {
    checkSchedulable(title, optimizer);
    watchSteps(optimizer);
    this.title = title;
    this.optimizer = optimizer;
    noteLrs(optimizer);
    this.lastLr = readLrs(optimizer);
  }

  /** Moves one epoch on and writes the new lrs. Call it after the optimizer's steps of that epoch. */
  abstract step(value?: number): void;

  /**
   * Moves on by any amount, for a schedule that counts tokens, samples or parts of an epoch. `step()` is `advance(1)`.
   * @param metric what ReduceLROnPlateau looks at, if one is involved.
   */
  advance(amount: number, metric?: number): void {
    checkValue(`${this.title}.advance`, "amount", amount, positive);
    this.change(() => this.move(amount, metric));
  }

  /** A copy of the lrs in force, one per group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /**
   * From now on, `step` and `advance` do nothing when `predicate` returns true: for a gradient scaler that skipped the
   * optimizer's step.
   */
  skipWhen(predicate: () => boolean): this {
    this.skips = predicate;
    return this;
  }

  /** A copy of everything needed to continue, in PyTorch's shape and spelling. */
  stateDict(): StateDict {
    return readFields(this.fields());
  }

  /**
   * Continues where `stateDict` was taken. The saved lrs are written to the groups, except where something other than a
   * scheduler set the lr since: an optimizer's state that has been loaded, or an edit, is newer than this state.
   * @throws DescentError `state` if the state belongs to another class; nothing is changed then.
   */
  loadStateDict(state: StateDict): void {
    this.check(state);
    this.restore(state);
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      const lr = this.lastLr[i];
      if (lr !== undefined && !changedOutside(group)) setLr(group, lr);
    }
    this.writeRest();
  }

  /** Makes a change that leaves nothing behind if it throws. */
  protected change(by: () => void): void {
    if (this.skips()) return;
    if (this.stepCount === 1) warnIfNotStepped(this.optimizer);
    this.orUndo(by);
  }

  protected orUndo(change: () => void): void {
    const undo = remember([...this.parts(), ...this.optimizer.paramGroups]);
    try {
      change();
    } catch (error) {
      undo();
      noteLrs(this.optimizer);
      throw error;
    }
  }

  /** The entries of a saved state. */
  protected abstract fields(): Fields;

  protected lastLrField(): Fields {
    return {
      _last_lr: { rule: lrList, get: () => this.lastLr, set: (lrs: number[]) => (this.lastLr = lrs) },
    };
  }

  // Below: what a composite asks of its children.

  /** @internal Becomes epoch 0, at the lrs now in the groups. */
  abstract restart(): void;

  /** @internal Advances, without warnings. */
  abstract move(by: number, metric?: number): void;

  /** @internal Whether a phase that begins with this scheduler begins at the base lr, not at the lr of the moment. */
  startsAtBase(): boolean {
    return true;
  }

  /** @internal Waits for its phase of a SequentialLR. */
  idle(): void {}

  /** @internal This scheduler and all below it. */
  parts(): LRScheduler[] {
    return [this];
  }

  /** @internal Throws if a state does not fit. */
  check(state: StateDict): void {
    checkFields(this.title, this.fields(), state);
    const saved = (state._last_lr as number[]).length;
    const groups = this.optimizer.paramGroups.length;
    if (saved > groups) {
      const fault = "the state knows more parameter groups than the optimizer has";
      const hint = "Add the missing groups to the optimizer first.";
      throw new DescentError("state", `${this.title}.loadStateDict`, fault, { saved, groups }, hint);
    }
  }

  /** @internal Takes over a checked state; the groups stay as they are. */
  restore(state: StateDict): void {
    writeFields(this.fields(), state);
  }

  /** @internal Writes what is scheduled beside the lr: momentum. */
  writeRest(): void {}
}
