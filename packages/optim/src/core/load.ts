import { checkOptions, DescentError, type DType, Tensor } from "@descent/tensor";
import { checkValues, type Option, ownOptions } from "./options.ts";
import type { ParamGroup } from "./param-groups.ts";
import type { Description } from "./single-optimizer.ts";
import {
  adopt,
  checkShapeOf,
  hostNumber,
  type LoadOptions,
  matchByName,
  matchByPosition,
  type ParamState,
  type StateDict,
  unpackOptions,
} from "./state-dict.ts";

type Place = Readonly<Record<string, unknown>>;
type Bag = Record<string, unknown>;

/** What a state is loaded into. */
export interface LoadTarget<O extends object> {
  readonly description: Description<O>;
  readonly groups: readonly ParamGroup<O>[];
  readonly state: ReadonlyMap<Tensor, ParamState>;
  readonly check: (group: O, place: Place) => void;
  readonly shape: (key: string, p: Tensor) => readonly number[] | null;
  readonly keys: (
    group: ParamGroup<O>,
    p: Tensor,
  ) => { readonly tensors: readonly string[]; readonly numbers: readonly string[] };
}

/** The groups and the state that `sd` describes, everything checked first and then copied. */
export function loadInto<O extends object>(target: LoadTarget<O>, sd: StateDict, options: LoadOptions) {
  const { description, groups: present } = target;
  const operation = `${description.name}.loadStateDict`;
  checkOptions(operation, options, ["match", "partial"]);
  const { match = "position", partial = false } = options;
  if (match !== "position" && match !== "name")
    throw new DescentError("option", operation, 'match is "position" or "name"', { match });
  checkShapeOf(description.name, sd);
  const matching =
    match === "name"
      ? matchByName(description.name, present, sd, partial)
      : matchByPosition(description.name, present, sd);
  const groups = present.map((group, i) =>
    loadGroup(target, group, matching.groups[i] ?? null, operation, { group: i }),
  );
  const wanted = new Map<Tensor, { from: Bag; group: ParamGroup<O> }>();
  const wrong: string[] = [];
  groups.forEach((group, i) => {
    group.params.forEach((p, j) => {
      const from = sd.state[matching.keys.get(p) ?? ""];
      if (from === undefined) return;
      const fault = faultIn(target, from, p, group);
      if (fault === null) wanted.set(p, { from: from as Bag, group });
      else wrong.push(`${group.paramNames?.[j] ?? `group ${i}, parameter ${j}`}: ${fault}`);
    });
  });
  if (wrong.length > 0 && !partial) {
    const hint = "Was it saved by another optimizer, or for another model?";
    throw new DescentError(
      "state",
      operation,
      "saved state does not fit its parameter",
      { "does not fit": wrong },
      hint,
    );
  }
  const state = new Map<Tensor, ParamState>();
  for (const p of groups.flatMap(({ params }) => params)) {
    const found = wanted.get(p);
    const kept = found ? loadState(target, found.from, p, found.group) : partial ? target.state.get(p) : undefined;
    if (kept) state.set(p, kept);
  }
  const known = new Set(sd.param_groups.flatMap(({ params }) => (params as number[]).map(String)));
  const extra = Object.fromEntries(Object.entries(sd.state).filter(([key]) => !known.has(key)));
  return { groups, state, extra };
}

/** A present group with the options of a saved one; null: with its own. */
function loadGroup<O extends object>(
  { description, check }: LoadTarget<O>,
  present: ParamGroup<O>,
  saved: Readonly<Bag> | null,
  operation: string,
  place: Place,
): ParamGroup<O> {
  if (saved === null) return { ...present, params: [...present.params] };
  const table = description.options as unknown as Record<string, Option>;
  const loaded = unpackOptions(saved);
  if ("lr" in table && !("lr" in loaded))
    throw new DescentError("state", operation, "a saved group has no lr", { ...place, keys: Object.keys(saved) });
  const group: Bag = { ...present };
  for (const [name, option] of Object.entries(table)) {
    if (option.forced || (!(name in loaded) && !(name in ownOptions))) loaded[name] = option.default;
    else if (loaded[name] instanceof Tensor) loaded[name] = hostNumber(operation, name, loaded[name]);
  }
  Object.assign(group, loaded, { params: [...present.params] });
  if (present.paramNames) group.paramNames = present.paramNames;
  checkValues(operation, group, table as never, place);
  check(group as O, place);
  return group as ParamGroup<O>;
}

/** What is wrong with a parameter's saved state; null: nothing. */
function faultIn<O extends object>(
  { keys, shape }: LoadTarget<O>,
  from: unknown,
  p: Tensor,
  group: ParamGroup<O>,
): string | null {
  if (typeof from !== "object" || from === null) return "is no record";
  const saved = from as Bag;
  if (Object.keys(saved).length === 0) return null;
  const { tensors, numbers } = keys(group, p);
  const missing = [
    ...tensors.filter((key) => !(saved[key] instanceof Tensor)),
    ...numbers.filter((key) => typeof saved[key] !== "number" && !(saved[key] instanceof Tensor)),
  ];
  if (missing.length > 0) return `has no ${missing.join(", ")}`;
  for (const key of tensors) {
    const value = saved[key] as Tensor;
    const expected = shape(key, p);
    if (expected && expected.join() !== value.shape.join())
      return `${key} has shape [${value.shape.join(", ")}] instead of [${expected.join(", ")}]`;
  }
  return null;
}

function loadState<O extends object>(
  { description, keys }: LoadTarget<O>,
  from: Bag,
  p: Tensor,
  group: ParamGroup<O>,
): ParamState {
  const { numbers } = keys(group, p);
  const dtype = ((group as { stateDtype?: DType | null }).stateDtype ?? p.dtype) as DType;
  const entries = Object.entries(from).map(([key, value]) => [
    key,
    numbers.includes(key) ? hostNumber(description.name, key, value) : adopt(value, p, dtype),
  ]);
  return Object.fromEntries(entries);
}
