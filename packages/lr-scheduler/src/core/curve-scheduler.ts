import { DescentError } from "./error.ts";
import { LRScheduler } from "./lr-scheduler.ts";
import { checkValue, finite, naturalNumber, type OptionTable, type ResumeOptions, settleResumable } from "./options.ts";
import { type ParamGroup, readLrs, type Schedulable, setLr } from "./schedulable.ts";
import { type Field, type Fields, lrList, snakeCase } from "./state.ts";
import { warnOnce } from "./warnings.ts";

/**
 * A scheduler whose lr is a function of the base lr and the epoch: the lr of each epoch is `at(i, epoch)`, whatever the
 * lr was before. Groups that are added to the optimizer later are scheduled from then on.
 */
export abstract class CurveScheduler<O extends object> extends LRScheduler {
  lastEpoch = -1;
  /** The lr that is scaled, one per group. */
  baseLrs: number[] = [];
  readonly options: Required<O>;
  protected readonly table: OptionTable<O>;

  constructor(title: string, optimizer: Schedulable, given: O & ResumeOptions, table: OptionTable<O>) {
    super(title, optimizer);
    const { lastEpoch, options } = settleResumable<O>(title, given, table);
    this.options = options;
    this.table = table;
    this.setUp();
    this.orUndo(() => (lastEpoch < 0 ? this.restart() : this.resume(lastEpoch)));
  }

  /** The lr of group `i` at `epoch`. */
  protected abstract at(i: number, epoch: number): number;

  /** The lr of group `i` at epoch 0, where it was `lr` before. */
  protected initial(_lr: number, i: number): number {
    return this.at(i, 0);
  }

  /** The lr of group `i` at `epoch`, where it is `lr` at `lastEpoch`. */
  protected next(_lr: number, i: number, epoch: number): number {
    return this.at(i, epoch);
  }

  /** Derives what the options imply and checks them together; nothing has been written to the groups yet. */
  protected setUp(): void {}

  /** Takes in group `i`, at construction or when it has been added; returns its base lr. */
  protected join(group: ParamGroup, _i: number): number {
    group.initialLr ??= group.lr;
    return group.initialLr;
  }

  /**
   * @param epoch deprecated, as in PyTorch: jumps to this epoch.
   */
  step(epoch?: number): void {
    if (epoch === undefined) return this.change(() => this.move(1));
    checkValue(`${this.title}.step`, "epoch", epoch, finite);
    warnOnce("epoch-argument");
    this.change(() => this.jump(epoch));
  }

  protected jump(epoch: number): void {
    this.stepCount += 1;
    this.write(epoch, (_lr, i) => this.at(i, epoch));
  }

  /** @internal */
  move(by: number): void {
    const epoch = this.lastEpoch + by;
    this.stepCount += 1;
    this.write(epoch, (lr, i) => this.next(lr, i, epoch));
  }

  /** @internal */
  restart(): void {
    this.write(0, (lr, i) => this.initial(lr, i));
  }

  /** @internal */
  override idle(): void {
    this.lastEpoch = -1;
  }

  protected write(epoch: number, rule: (lr: number, i: number) => number): void {
    const groups = this.optimizer.paramGroups;
    for (const [i, group] of groups.entries()) {
      if (i >= this.baseLrs.length) this.baseLrs = [...this.baseLrs, this.join(group, i)];
    }
    const lrs = groups.map(({ lr }, i) => rule(lr, i));
    const wrong = lrs.findIndex((lr) => !Number.isFinite(lr));
    if (wrong >= 0) {
      const facts = { group: wrong, epoch, "old lr": groups[wrong]!.lr, "new lr": lrs[wrong] };
      const hint = "Look for an lr or an option that somebody set to NaN or to infinity.";
      throw new DescentError("numeric", this.title, "the new lr is not a finite number", facts, hint);
    }
    this.lastEpoch = epoch;
    for (const [i, group] of groups.entries()) setLr(group, lrs[i]!);
    this.lastLr = lrs;
    this.writeRest();
  }

  /** Replays `lastEpoch + 1` epochs: exact, also where the lr is a running product. */
  private resume(lastEpoch: number): void {
    const groups = this.optimizer.paramGroups;
    const bare = groups.findIndex(({ initialLr }) => initialLr === undefined);
    if (bare >= 0) {
      const hint = "Load the optimizer's state first, or leave lastEpoch out for a fresh start.";
      throw new DescentError("argument", this.title, `paramGroups[${bare}] has no initialLr`, { lastEpoch }, hint);
    }
    const found = groups.map(({ lr, initialLr }) => (lr === initialLr ? undefined : lr));
    for (const group of groups) group.lr = group.initialLr!;
    this.restart();
    const { stepCount } = this;
    for (let epoch = 0; epoch <= lastEpoch; epoch++) this.move(1);
    for (const [i, group] of groups.entries()) setLr(group, found[i] ?? group.lr);
    this.lastLr = readLrs(this.optimizer);
    this.stepCount = stepCount;
  }

  /** A state entry that is a property of this object. */
  protected own<K extends keyof this>(name: K, rest: Partial<Field> = {}): Field {
    return { ...rest, get: () => this[name], set: (value: this[K]) => (this[name] = value) };
  }

  /** The entries for the class's own settings: the options, unless overridden. */
  protected ownFields(): Fields {
    const entries = Object.entries<OptionTable<O>[keyof O]>(this.table).map(([name, { key, rule }]) => {
      const field = {
        rule,
        get: () => this.options[name as keyof O],
        set: (value: Required<O>[keyof O]) => (this.options[name as keyof O] = value),
      };
      return [key ?? snakeCase(name), field] as const;
    });
    return Object.fromEntries(entries);
  }

  protected fields(): Fields {
    const flag = { optional: true, get: () => false, set: () => {} };
    return {
      ...this.ownFields(),
      base_lrs: this.own("baseLrs", { rule: lrList }),
      last_epoch: this.own("lastEpoch", { rule: finite }),
      _step_count: {
        rule: naturalNumber,
        optional: true,
        get: () => this.stepCount,
        set: (steps: number) => (this.stepCount = steps),
      },
      // PyTorch's own bookkeeping within a step.
      _is_initial: flag,
      _get_lr_called_within_step: flag,
      ...this.lastLrField(),
    };
  }
}
