import { DescentError, type DType, isFloat, SparseTensor, Tensor, tensor } from "@descent/tensor";
import { implementationOptions, ownOptions, toCamel, toSnake } from "./options.ts";
import { overwrite } from "./overwrite.ts";
import type { ParamGroup } from "./param-groups.ts";

/** What an optimizer remembers of one parameter: tensors, and numbers such as `step`; spelled as in PyTorch. */
export type ParamState = Record<string, unknown>;

/** An optimizer's state in PyTorch's own shape and spelling. Tensors are the live ones, not copies. */
export interface StateDict {
  /** By number of the parameter, counted over all groups. */
  readonly state: Readonly<Record<string, unknown>>;
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

export interface LoadOptions {
  /** How saved and present parameters meet: by their place (as in PyTorch, the default), or by their names. */
  readonly match?: "position" | "name";
  /** With `match: "name"`: take what fits and leave the rest as it is, instead of throwing. Default: false. */
  readonly partial?: boolean;
}

type Groups = readonly ParamGroup<object>[];

const fail = (operation: string, fault: string, facts: Record<string, unknown> = {}, hint = ""): never => {
  throw new DescentError("state", `${operation}.loadStateDict`, fault, facts, hint);
};
const isRecord = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x) && !(x instanceof Tensor);

/** Groups and state in saved form. */
export function pack(
  groups: Groups,
  state: ReadonlyMap<Tensor, ParamState>,
  extra: object,
  flags: readonly string[],
): StateDict {
  const saved: Record<string, unknown> = { ...extra };
  let next = 0;
  const param_groups = groups.map(({ params, paramNames, ...options }) => {
    const packed: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(options))
      if (!(name in ownOptions) || value !== ownOptions[name]) packed[toSnake(name)] = value;
    for (const flag of flags) packed[flag] = flag === "capturable" ? false : null;
    if (paramNames) packed.param_names = [...paramNames];
    packed.params = params.map((p) => {
      const own = state.get(p);
      if (own) saved[next] = { ...own };
      return next++;
    });
    return packed;
  });
  return { state: saved, param_groups };
}

/** Records copied, tensors shared: what a hook may edit freely. */
export function copyRecords(sd: StateDict): StateDict {
  if (!isRecord(sd) || !isRecord(sd.state) || !Array.isArray(sd.param_groups)) return sd;
  const state = Object.entries(sd.state).map(([key, own]) => [key, isRecord(own) ? { ...own } : own]);
  return { ...sd, state: Object.fromEntries(state), param_groups: sd.param_groups.map((group) => ({ ...group })) };
}

/** A saved group's options, camelCase, without what only picks an implementation in PyTorch. */
export function unpackOptions(saved: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(saved).filter(([name]) => name !== "params" && !(name in implementationOptions));
  return Object.fromEntries(entries.map(([name, value]) => [toCamel(name), value]));
}

/** Which saved entries belong to the present ones. */
export interface Matching {
  /** Per present group: the saved one that gives its options; null: they stay. */
  readonly groups: readonly (Readonly<Record<string, unknown>> | null)[];
  /** The key in `state` of each present parameter that has a saved counterpart. */
  readonly keys: ReadonlyMap<Tensor, string>;
}

/** Throws unless `sd` has the shape of a state dict. */
export function checkShapeOf(operation: string, sd: StateDict): void {
  const groups: unknown = isRecord(sd) ? sd.param_groups : null;
  const sound =
    isRecord(sd) &&
    isRecord(sd.state) &&
    Array.isArray(groups) &&
    groups.every((g) => isRecord(g) && Array.isArray(g.params) && g.params.every((k) => Number.isInteger(k)));
  if (!sound) fail(operation, "this is no state of an optimizer", {}, "It has the keys state and param_groups.");
}

/** Saved parameters meet present ones by their place. */
export function matchByPosition(operation: string, groups: Groups, sd: StateDict): Matching {
  const counts = (all: readonly Readonly<Record<string, unknown>>[]) => all.map(({ params }) => (params as []).length);
  const facts = { saved: counts(sd.param_groups), present: counts(groups) };
  const hint = 'The parameters of each group are counted here; named ones can be matched with { match: "name" }.';
  if (groups.length !== sd.param_groups.length) fail(operation, "the number of parameter groups differs", facts, hint);
  const keys = new Map<Tensor, string>();
  groups.forEach(({ params }, i) => {
    const saved = sd.param_groups[i]?.params as number[];
    if (saved.length !== params.length) fail(operation, `group ${i} has another number of parameters`, facts, hint);
    params.forEach((p, j) => {
      keys.set(p, String(saved[j]));
    });
  });
  return { groups: sd.param_groups, keys };
}

/** Saved parameters meet present ones by their names; a group takes its options from the saved group all its parameters come from. */
export function matchByName(operation: string, groups: Groups, sd: StateDict, partial: boolean): Matching {
  const saved = new Map<string, { key: string; group: Readonly<Record<string, unknown>> }>();
  for (const group of sd.param_groups) {
    const names = group.param_names as readonly string[] | undefined;
    if (!names)
      fail(operation, "the saved state has no parameter names", {}, "Save from an optimizer over namedParameters().");
    (group.params as number[]).forEach((key, j) => {
      const name = String(names?.[j]);
      if (saved.has(name)) fail(operation, "a saved parameter name occurs twice", { name });
      saved.set(name, { key: String(key), group });
    });
  }
  const keys = new Map<Tensor, string>();
  const missing: string[] = [];
  const sources = groups.map(({ params, paramNames }) => {
    if (!paramNames)
      fail(operation, "the parameters have no names", {}, "Pass model.namedParameters() to the constructor.");
    const from = new Set<Readonly<Record<string, unknown>>>();
    params.forEach((p, j) => {
      const name = String(paramNames?.[j]);
      const found = saved.get(name);
      if (found) {
        keys.set(p, found.key);
        saved.delete(name);
        from.add(found.group);
      } else missing.push(name);
    });
    return from.size === 1 ? ([...from][0] as Readonly<Record<string, unknown>>) : null;
  });
  if (!partial && missing.length + saved.size > 0) {
    const facts = { missing, unexpected: [...saved.keys()] };
    fail(operation, "the parameter names differ", facts, 'Pass { match: "name", partial: true } to load what fits.');
  }
  return { groups: sources, keys };
}

/** A tensor that belongs to the state: laid out as `p` where that is dense, filled with `value`, kept until nobody has it. */
export function stateTensor(p: Tensor, value: number | Tensor, dtype: DType = p.dtype, shape = p.shape): Tensor {
  const { memory } = p.runtime;
  const strides = shape === p.shape ? denseStrides(p) : rowMajor(shape);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const result = p.make(memory.alloc(dtype, size, "optimizer state"), shape, strides, 0);
  memory.hold(result.storage.block);
  overwrite(result, value);
  return result;
}

function rowMajor(shape: readonly number[]): number[] {
  let step = 1;
  return shape.reduceRight<number[]>((strides, extent) => {
    strides.unshift(step);
    step *= Math.max(1, extent);
    return strides;
  }, []);
}

/** Row-major strides, in the order in which the axes of `p` lie in memory: an update then runs straight through. */
function denseStrides(p: Tensor): number[] {
  const order = [...p.shape.keys()].sort((a, b) => (p.strides[b] as number) - (p.strides[a] as number));
  const packed = rowMajor(order.map((axis) => p.shape[axis] as number));
  const strides = new Array<number>(p.ndim);
  order.forEach((axis, k) => {
    strides[axis] = packed[k] as number;
  });
  return strides;
}

/** How a saved tensor becomes state of `p`: a copy, floating point in the state's dtype. Other values are kept as they are. */
export function adopt(value: unknown, p: Tensor, dtype: DType): unknown {
  if (Array.isArray(value)) return value.map((x) => adopt(x, p, dtype));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([k, x]) => [k, adopt(x, p, dtype)]));
  if (value instanceof SparseTensor) {
    const [indices, values] = [adopt(value.indices, p, dtype), adopt(value.values, p, dtype)] as [Tensor, Tensor];
    return new SparseTensor(indices, values, value.shape, value.isCoalesced);
  }
  if (!(value instanceof Tensor)) return value;
  const here = value.runtime === p.runtime ? value.detach() : transfer(value, p);
  return stateTensor(p, here, isFloat(value.dtype) ? dtype : value.dtype, sameShape(value, p) ? p.shape : value.shape);
}

/** A saved tensor on the backend of `p`. */
const transfer = (value: Tensor, p: Tensor): Tensor =>
  tensor(value.dataSync() as Float32Array, { dtype: value.dtype, backend: p.backend }).reshape(value.shape);

const sameShape = (a: Tensor, b: Tensor): boolean => a.shape.join() === b.shape.join();

/** The number in a saved scalar, which PyTorch holds as a tensor of one element. */
export function hostNumber(operation: string, key: string, value: unknown): number {
  if (typeof value === "number") return value;
  if (!(value instanceof Tensor) || value.size !== 1)
    return fail(operation, `${key} is no number`, { [key]: typeof value });
  if (value.backend.readSync) return value.itemSync();
  const hint = "Load await hostScalars(stateDict) instead.";
  return fail(operation, `${key} is on a backend that cannot be read at once`, { backend: value.backend.name }, hint);
}

/** State that is a number here and a tensor of one element in PyTorch. */
const counters = ["step", "eta", "mu", "mu_product"];

/** A copy of `sd` with its counters as numbers: for loading on backends that cannot read at once. */
export async function hostScalars(sd: StateDict): Promise<StateDict> {
  const state: Record<string, unknown> = {};
  for (const [key, own] of Object.entries(sd.state)) {
    if (!isRecord(own)) state[key] = own;
    else {
      const copy: Record<string, unknown> = { ...own };
      for (const name of counters) if (copy[name] instanceof Tensor) copy[name] = await copy[name].item();
      state[key] = copy;
    }
  }
  return { ...sd, state };
}
