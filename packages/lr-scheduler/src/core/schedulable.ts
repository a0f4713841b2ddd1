import { DescentError } from "./error.ts";

/** What a scheduler reads and writes in a parameter group. Every other property of the group is left alone. */
export interface ParamGroup {
  lr: number;
  /** The lr that a schedule scales, written once by the first scheduler; `initial_lr` in a saved state. */
  initialLr?: number | undefined;
  momentum?: number | undefined;
  betas?: readonly number[] | undefined;
  /** Written by OneCycleLR and CyclicLR, because PyTorch's optimizer states carry them. */
  maxLr?: number | undefined;
  minLr?: number | undefined;
  maxMomentum?: number | undefined;
  baseMomentum?: number | undefined;
  /** Written by SWALR. */
  swaLr?: number | undefined;
}

/** Anything with parameter groups: an optimizer of `@descent/optim`, or `{ paramGroups: [{ lr: 0.1 }] }`. */
export interface Schedulable {
  readonly paramGroups: readonly ParamGroup[];
  /** Lets a scheduler notice that it is stepped before the optimizer. Without it, it does not look. */
  registerStepPostHook?(hook: () => void): unknown;
}

const isNumber = (value: unknown): value is number => typeof value === "number" && !Number.isNaN(value);

/** Throws unless `optimizer` has groups, each with a number as lr. */
export function checkSchedulable(operation: string, optimizer: Schedulable): void {
  if (!Array.isArray(optimizer?.paramGroups)) {
    const hint = "Pass an optimizer, or an object such as { paramGroups: [{ lr: 0.1 }] }, as the first argument.";
    throw new DescentError("argument", operation, "the optimizer has no paramGroups", { optimizer }, hint);
  }
  for (const [i, { lr }] of optimizer.paramGroups.entries()) {
    if (!isNumber(lr)) {
      const hint = "Give each group an lr before building a scheduler.";
      throw new DescentError("argument", operation, `paramGroups[${i}].lr must be a number`, { lr }, hint);
    }
  }
}

export const readLrs = ({ paramGroups }: Schedulable): number[] => paramGroups.map(({ lr }) => lr);

/** The lr that a scheduler last wrote to, or found in, a group. */
const known = new WeakMap<ParamGroup, number>();

export function setLr(group: ParamGroup, lr: number): void {
  group.lr = lr;
  known.set(group, lr);
}

export function noteLrs({ paramGroups }: Schedulable): void {
  for (const group of paramGroups) known.set(group, group.lr);
}

/** Whether the lr changed behind the schedulers' back: by a user's edit, or by loading the optimizer's state. */
export const changedOutside = (group: ParamGroup): boolean => known.get(group) !== group.lr;

/** A function that puts all own properties of `objects` back as they are now. Values inside are not copied. */
export function remember(objects: readonly object[]): () => void {
  const saved = objects.map((object): [object, object] => [object, { ...object }]);
  return () => {
    for (const [object, before] of saved) {
      for (const key of Object.keys(object)) if (!(key in before)) Reflect.deleteProperty(object, key);
      Object.assign(object, before);
    }
  };
}
