import { DescentError } from "./error.ts";
import { LRScheduler } from "./lr-scheduler.ts";
import { readLrs, type Schedulable, setLr } from "./schedulable.ts";
import type { Fields, StateDict } from "./state.ts";

const isScheduler = (value: unknown): value is LRScheduler =>
  typeof value === "object" && value !== null && "move" in value && "restart" in value && "optimizer" in value;

function commonOptimizer(title: string, schedulers: readonly LRScheduler[], given?: Schedulable): Schedulable {
  if (!Array.isArray(schedulers) || schedulers.length === 0) {
    const hint = "Build the schedulers first, on one optimizer.";
    throw new DescentError("argument", title, "needs a list of at least one scheduler", { schedulers }, hint);
  }
  const stranger = schedulers.findIndex((scheduler) => !isScheduler(scheduler));
  if (stranger >= 0) {
    const facts = { [`schedulers[${stranger}]`]: schedulers[stranger] };
    throw new DescentError("argument", title, "takes schedulers", facts, "Pass instances, such as new StepLR(…).");
  }
  const optimizer = given ?? schedulers[0]!.optimizer;
  const other = schedulers.findIndex((scheduler) => scheduler.optimizer !== optimizer);
  if (other >= 0) {
    const hint = "Build all its schedulers on the same optimizer.";
    throw new DescentError("argument", title, `schedulers[${other}] belongs to another optimizer`, {}, hint);
  }
  return optimizer;
}

/** A scheduler made of others on the same optimizer. */
export abstract class CompositeScheduler extends LRScheduler {
  readonly schedulers: readonly LRScheduler[];

  constructor(title: string, schedulers: readonly LRScheduler[], optimizer?: Schedulable) {
    super(title, commonOptimizer(title, schedulers, optimizer));
    this.schedulers = [...schedulers];
  }

  /**
   * @param metric what a ReduceLROnPlateau among the schedulers looks at; needed only while one is active.
   */
  step(metric?: number): void {
    this.change(() => this.move(1, metric));
  }

  /** Starts over from the base lrs and replays `epochs` epochs. */
  protected replay(epochs: number): void {
    this.orUndo(() => {
      this.resetToBase();
      this.restart();
      for (let epoch = 0; epoch < epochs; epoch++) this.move(1);
      this.stepCount = 1;
    });
  }

  protected resetToBase(): void {
    for (const group of this.optimizer.paramGroups) setLr(group, group.initialLr ?? group.lr);
  }

  protected note(): void {
    this.lastLr = readLrs(this.optimizer);
  }

  override parts(): LRScheduler[] {
    return [this, ...this.schedulers.flatMap((scheduler) => scheduler.parts())];
  }

  override idle(): void {
    for (const scheduler of this.schedulers) scheduler.idle();
  }

  protected fields(): Fields {
    const children = { get: () => this.schedulers.map((scheduler) => scheduler.stateDict()), set: () => {} };
    return { ...this.lastLrField(), _schedulers: children };
  }

  override check(state: StateDict): void {
    super.check(state);
    const children = state._schedulers;
    if (!Array.isArray(children) || children.length !== this.schedulers.length) {
      const hint = "Build the same composition as the one that was saved.";
      const facts = { saved: Array.isArray(children) ? children.length : 0, schedulers: this.schedulers.length };
      throw new DescentError("state", `${this.title}.loadStateDict`, "the number of schedulers differs", facts, hint);
    }
    for (const [i, scheduler] of this.schedulers.entries()) scheduler.check(children[i]);
  }

  override restore(state: StateDict): void {
    super.restore(state);
    const children = state._schedulers as StateDict[];
    for (const [i, scheduler] of this.schedulers.entries()) scheduler.restore(children[i]!);
  }
}
