import { DescentError } from "./core/error.ts";
import { nearest } from "./core/nearest.ts";
import { checkSchedulable, type ParamGroup, type Schedulable } from "./core/schedulable.ts";

type Values = Record<string, unknown>;

/** A number somewhere in a group: a property, or one entry of a list in a property. */
interface Place {
  readonly initial: string;
  read(group: Values): unknown;
  write(group: Values, value: number): void;
}

function placeOf(name: string): Place {
  const [key, entry] = name.split(".") as [string, string | undefined];
  const initial = `initial${key.charAt(0).toUpperCase()}${key.slice(1)}${entry ?? ""}`;
  if (entry === undefined) {
    const write = (group: Values, value: number) => {
      group[key] = value;
    };
    return { initial, read: (group) => group[key], write };
  }
  const list = (group: Values) => group[key] as readonly number[] | undefined;
  return {
    initial,
    read: (group) => list(group)?.[Number(entry)],
    // A new list: the old one may be the user's.
    write: (group, value) => {
      group[key] = list(group)?.map((item, i) => (i === Number(entry) ? value : item));
    },
  };
}

function viewOf(group: Values, { initial, read, write }: Place): ParamGroup {
  return {
    get lr() {
      return read(group) as number;
    },
    set lr(value) {
      write(group, value);
    },
    get initialLr() {
      return group[initial] as number | undefined;
    },
    set initialLr(value) {
      if (value === undefined) Reflect.deleteProperty(group, initial);
      else group[initial] = value;
    },
  };
}

const numbersIn = (group: Values): string[] =>
  Object.entries(group).flatMap(([key, value]) => {
    if (Array.isArray(value) && value.every((item) => typeof item === "number"))
      return value.map((_, i) => `${key}.${i}`);
    return typeof value === "number" ? [key] : [];
  });

const views = new WeakMap<Schedulable, Map<string, Schedulable>>();

function makeView(optimizer: Schedulable, place: Place): Schedulable {
  const groups = new WeakMap<object, ParamGroup>();
  const viewed = (group: ParamGroup): ParamGroup => {
    const view = groups.get(group) ?? viewOf(group as unknown as Values, place);
    groups.set(group, view);
    return view;
  };
  return {
    get paramGroups() {
      return optimizer.paramGroups.map(viewed);
    },
    ...(optimizer.registerStepPostHook && {
      registerStepPostHook: (hook: () => void) => optimizer.registerStepPostHook?.(hook),
    }),
  };
}

/**
 * The optimizer as a scheduler should see it to schedule something other than the lr: in this view, `lr` is the
 * hyperparameter `name`. Every scheduler works on it, and composes and resumes as ever. The initial value is kept in the
 * group under a name such as `initialWeightDecay`.
 *
 * @param name a property of the parameter groups, such as "weightDecay", or an entry of one, such as "betas.0".
 * @throws DescentError `option` if a group has no such number.
 *
 * @example
 * const decay = new CosineAnnealingLR(hyperparameter(optimizer, "weightDecay"), { tMax: 100, etaMin: 0.01 });
 */
export function hyperparameter(optimizer: Schedulable, name: string): Schedulable {
  checkSchedulable("hyperparameter", optimizer);
  const place = placeOf(name);
  for (const [i, group] of (optimizer.paramGroups as unknown as Values[]).entries()) {
    if (typeof place.read(group) === "number") continue;
    const fault = `paramGroups[${i}] has no number "${name}"`;
    const near = nearest(name, numbersIn(group));
    throw new DescentError("option", "hyperparameter", fault, { numbers: numbersIn(group) }, `Did you mean "${near}"?`);
  }
  // One view per name, so that schedulers of the same hyperparameter belong to the same optimizer.
  const known = views.get(optimizer) ?? new Map<string, Schedulable>();
  const view = known.get(name) ?? makeView(optimizer, place);
  views.set(optimizer, known.set(name, view));
  return view;
}
