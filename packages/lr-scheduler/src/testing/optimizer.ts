import type { ParamGroup, Schedulable } from "../core/schedulable.ts";

export type Group = ParamGroup & Record<string, unknown>;
export type GroupOptions = { lr: number } & Partial<ParamGroup> & Record<string, unknown>;

/** The part of an optimizer that schedulers meet: groups, step hooks, a state that replaces the groups. */
export class TestOptimizer implements Schedulable {
  paramGroups: Group[];
  private readonly hooks = new Set<(optimizer: TestOptimizer, args: unknown[]) => void>();

  constructor(groups: readonly GroupOptions[]) {
    this.paramGroups = groups.map((group) => ({ ...group }));
  }

  step(): void {
    for (const hook of this.hooks) hook(this, []);
  }

  registerStepPostHook(hook: (optimizer: TestOptimizer, args: unknown[]) => void): { remove(): void } {
    this.hooks.add(hook);
    return { remove: () => void this.hooks.delete(hook) };
  }

  addParamGroup(group: GroupOptions): void {
    this.paramGroups.push({ ...group });
  }

  stateDict(): Group[] {
    return structuredClone(this.paramGroups);
  }

  loadStateDict(groups: readonly Group[]): void {
    this.paramGroups = structuredClone([...groups]);
  }

  lrs(): number[] {
    return this.paramGroups.map(({ lr }) => lr);
  }

  momenta(): (number | undefined)[] {
    return this.paramGroups.map(({ betas, momentum }) => betas?.[0] ?? momentum);
  }
}

/** Two groups with momentum, as in PyTorch's own tests. */
export const sgd = (lrs: readonly number[] = [0.05, 0.5]): TestOptimizer =>
  new TestOptimizer(lrs.map((lr) => ({ lr, momentum: 0.9, weightDecay: 0.01 })));

export const adam = (lrs: readonly number[] = [0.05, 0.5]): TestOptimizer =>
  new TestOptimizer(lrs.map((lr) => ({ lr, betas: [0.9, 0.999], weightDecay: 0.01 })));
