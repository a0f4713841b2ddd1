import { DescentError, hosted, SparseTensor, type Tensor } from "@descent/tensor";
import { Hooked, type StepArguments } from "./hooks.ts";
import { loadInto } from "./load.ts";
import { checkNames, checkValues, type Given, type ImplementationOption, type OptionTable } from "./options.ts";
import { overwrite } from "./overwrite.ts";
import {
  checkDistinct,
  checkParam,
  type GivenGroup,
  type ParamGroup,
  type Params,
  readGroups,
  readParams,
} from "./param-groups.ts";
import { type LoadOptions, type ParamState, pack, type StateDict } from "./state-dict.ts";

/** What an optimizer is called, and what it can be told. */
export interface Description<O> {
  /** As in torch.optim; for messages and printing. */
  readonly name: string;
  readonly options: OptionTable<O>;
  /** Implementation options that PyTorch writes into this optimizer's saved state. */
  readonly flags?: readonly ImplementationOption[];
}

/** Where a group stands, for messages. */
export type Place = Readonly<Record<string, unknown>>;
/** Records copied, tensors shared: what a hook may edit freely. */
const copyRecords = ({ state, param_groups, ...rest }: StateDict): StateDict => ({
  ...rest,
  state: Object.fromEntries(
    Object.entries(state).map(([k, own]) => [k, typeof own === "object" ? { ...(own as object) } : own]),
  ),
  param_groups: param_groups.map((group) => ({ ...group })),
});

/** Without entries that are undefined. */
const defined = (x: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(x).filter(([, value]) => value !== undefined));

const isPromise = (x: unknown): x is Promise<unknown> =>
  typeof (x as Promise<unknown> | undefined)?.then === "function";

/**
 * Base of every optimizer, with the semantics of torch.optim.Optimizer: parameter groups with live options, hooks, and a state
 * that can be saved and loaded. A subclass says what it is in `describe` and changes the parameters in `update`.
 */
export abstract class Optimizer<O extends object> extends Hooked {
  /** Options of groups that do not say otherwise; editing it changes groups that are added later. */
  readonly defaults: O;
  readonly paramGroups: ParamGroup<O>[] = [];
  /** By parameter; an entry appears with the first step in which the parameter has a gradient. */
  readonly state = new Map<Tensor, ParamState>();
  /** Entries of a loaded state that belong to no parameter. */
  protected extraState: Record<string, unknown> = {};
  readonly #description: Description<O>;
  constructor(params: Params | Iterable<GivenGroup<Given<O>>>, options: Given<O> = {}) {
    super();
    this.#description = this.describe();
    const { name, options: table } = this.#description;
    const groups = readGroups<Given<O>>(name, params);
    checkNames(name, options, table, []);
    const given = defined(options);
    const defaults = Object.entries(table as OptionTable<Record<string, unknown>>).map(([key, { default: d }]) => [
      key,
      key in given ? given[key] : d,
    ]);
    this.defaults = Object.fromEntries(defaults);
    checkValues(name, this.defaults, table);
    for (const group of groups) this.addParamGroup(group);
  }

  protected abstract describe(): Description<O>;
  /** Changes parameters and state; nothing is recorded for differentiation meanwhile. */
  protected abstract update(): void;
  /** Throws when options that are fine one by one do not go together. */
  protected checkGroup(_group: O, _place: Place): void {}
  /** Shape of the state tensor `key` of `p`; null: not known. */
  protected stateShape(_key: string, p: Tensor): readonly number[] | null {
    return p.shape;
  }
  /** Keys that the state of a parameter must have, once it has any. */
  protected stateKeys(
    _group: ParamGroup<O>,
    _p: Tensor,
  ): {
    readonly tensors: readonly string[];
    readonly numbers: readonly string[];
  } {
    return { tensors: [], numbers: [] };
  }

  get name(): string {
    return this.#description.name;
  }
  get description(): Description<O> {
    return this.#description;
  }

  /** Every parameter, group after group. */
  get parameters(): Tensor[] {
    return this.paramGroups.flatMap(({ params }) => params);
  }

  /** Adds a group; options it does not give come from `defaults`. The object itself is not changed, nor kept. */
  addParamGroup(group: GivenGroup<Given<O>>): void {
    const { name, options: table } = this.#description;
    const { params, names } = readParams(name, group as GivenGroup<unknown>);
    const { params: _, ...given } = defined(group);
    const place = { group: this.paramGroups.length };
    checkNames(name, given, table, ["initialLr", "paramNames"]);
    const options = { ...this.defaults, ...given } as O;
    checkValues(name, options, table, place);
    this.checkGroup(options, place);
    const differentiable = (options as { differentiable?: boolean }).differentiable === true;
    params.forEach((p, i) => {
      checkParam(name, p, { ...place, parameter: names?.[i] ?? i }, differentiable);
    });
    this.checkParams(params, place);
    const others = this.paramGroups[0];
    if (others && (others.paramNames !== undefined) !== (names !== null)) {
      const hint = "Pass namedParameters() for every group, or for none.";
      throw new DescentError("argument", name, "some groups have parameter names and some have not", place, hint);
    }
    checkDistinct(name, params, this.paramGroups);
    this.paramGroups.push({ ...options, ...(names && { paramNames: names }), params } as ParamGroup<O>);
  }

  /** Throws for parameters this optimizer cannot take. */
  protected checkParams(_params: readonly Tensor[], _place: Place): void {}

  /** Throws, before a step, for options that were edited into something invalid, and for sparse gradients. */
  protected checkStep(): void {
    const operation = `${this.name}.step`;
    for (const [i, group] of this.paramGroups.entries()) {
      checkValues(operation, group, this.#description.options, { group: i });
      this.checkGroup(group, { group: i });
    }
    for (const { grad, shape } of this.parameters) {
      if (!(grad instanceof SparseTensor)) continue;
      const hint = "Use SparseAdam, or SGD or Adagrad, or a layer without { sparse: true }.";
      throw new DescentError("unsupported", operation, "does not support sparse gradients", { shape }, hint);
    }
  }

  /** Clears all gradients: to null, or with `setToNone: false` to zeros in place. */
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    for (const { params } of this.paramGroups) {
      for (const p of params) {
        if (p.grad === null) continue;
        if (setToNone || p.grad instanceof SparseTensor) p.grad = null;
        else {
          if (p.grad.requiresGrad) p.grad = p.grad.detach();
          overwrite(p.grad, 0);
        }
      }
    }
  }

  /**
   * One update of all parameters that have a gradient. A closure (it calls zeroGrad, forward and backward, and returns the loss)
   * runs first, and its result is returned; when it is asynchronous, so is the step.
   */
  step<R = undefined>(closure?: () => R): R {
    let args: StepArguments = closure ? [closure] : [];
    for (const hook of this.hooks.beforeStep) {
      const other = hook(this as never, args);
      if (other === undefined) continue;
      if (!Array.isArray(other)) {
        const hint = "Return nothing, or a list with the closure.";
        throw new DescentError(
          "argument",
          `${this.name}.step`,
          "a hook returned no arguments",
          { got: typeof other },
          hint,
        );
      }
      args = other as unknown as StepArguments;
    }
    const finish = (result: unknown): unknown => {
      hosted({ planned: () => true, run: () => {}, after: () => this.#finish(args) });
      return result;
    };
    const result = this.run(args[0]);
    return (isPromise(result) ? result.then(finish) : finish(result)) as R;
  }

  /** The step between the hooks. */
  protected run(closure: (() => unknown) | undefined): unknown {
    const update = (loss: unknown) => {
      hosted({ planned: () => this.planned(), run: () => this.update(), after: () => {} });
      return loss;
    };
    const loss = closure?.();
    return isPromise(loss) ? loss.then(update) : update(loss);
  }

  /** Whether `update` hands over all its launches at once, so that a captured step can run them with its own. */
  protected planned(): boolean {
    return false;
  }

  #finish(args: StepArguments): void {
    for (const hook of this.hooks.afterStep) hook(this as never, args);
    this.#endStep();
  }

  /** A step closes a generation of memory: see `Memory.endStep`. A differentiable one does not, since its graph lives on. */
  #endStep(): void {
    const runtimes = new Set<Tensor["runtime"]>();
    for (const group of this.paramGroups) {
      if ((group as { differentiable?: boolean }).differentiable) return;
      for (const p of group.params) runtimes.add(p.runtime);
    }
    for (const { memory } of runtimes) memory.endStep();
  }

  /** The state in PyTorch's shape and spelling; its tensors are the live ones. */
  stateDict(): StateDict {
    for (const hook of this.hooks.save.all) hook(this as never);
    let sd = pack(this.paramGroups, this.state, this.extraState, this.#description.flags ?? []);
    for (const hook of this.hooks.saved.all) sd = hook(this as never, sd) ?? sd;
    return sd;
  }

  /**
   * Takes over a saved state, by copy. Throws code "state", with nothing changed, where it does not fit; keys that older versions
   * did not write get their defaults.
   */
  loadStateDict(saved: StateDict, options: LoadOptions = {}): void {
    let sd = saved;
    for (const hook of this.hooks.load.all) sd = hook(this as never, copyRecords(sd)) ?? sd;
    const { groups, state, extra } = loadInto(this.#target(), sd, options);
    this.paramGroups.splice(0, this.paramGroups.length, ...groups);
    this.state.clear();
    for (const [p, own] of state) this.state.set(p, own);
    this.extraState = extra;
    for (const hook of this.hooks.loaded.all) hook(this as never);
  }

  /** The same optimizer, options and state, over other parameters (default: the same ones), in the order of `parameters`. */
  clone(params: readonly Tensor[] = this.parameters): this {
    let next = 0;
    const groups = this.paramGroups.map((group) => ({
      ...group,
      params: group.params.map((_, i) => {
        const p = params[next++] as Tensor;
        return group.paramNames ? [group.paramNames[i], p] : p;
      }),
    }));
    const copy = new (this.constructor as new (groups: unknown, options: O) => this)(groups, this.defaults);
    copy.loadStateDict(pack(this.paramGroups, this.state, this.extraState, []));
    return copy;
  }

  #target() {
    return {
      description: this.#description,
      groups: this.paramGroups,
      state: this.state,
      check: (group: O, place: Readonly<Record<string, unknown>>) => this.checkGroup(group, place),
      shape: (key: string, p: Tensor) => this.stateShape(key, p),
      keys: (group: ParamGroup<O>, p: Tensor) => this.stateKeys(group, p),
    };
  }

  /** The groups and their options, as PyTorch prints them. */
  override toString(): string {
    const show = (x: unknown): string => (Array.isArray(x) ? `[${x.map(show).join(", ")}]` : String(x));
    const groups = this.paramGroups.map((group, i) => {
      const lines = Object.entries(group)
        .filter(([key]) => key !== "params")
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `    ${key}: ${show(value)}\n`);
      return `Parameter Group ${i}\n${lines.join("")}`;
    });
    return `${this.name} (\n${groups.join("\n")})`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
