import { DescentError, SparseTensor, type Tensor } from "@descent/tensor";
import { loadInto } from "./load.ts";
import { Optimizer } from "./optimizer.ts";
import { checkNames, checkValues, type Given, type ImplementationOption, type OptionTable } from "./options.ts";
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

/** What an algorithm is called, and what it can be told. */
export interface Description<O> {
  /** As in torch.optim; for messages and printing. */
  readonly name: string;
  readonly options: OptionTable<O>;
  /** Implementation options that PyTorch writes into this optimizer's saved state. */
  readonly flags?: readonly ImplementationOption[];
}

/** Where a group stands, for messages. */
export type Place = Readonly<Record<string, unknown>>;

/** Keys of a parameter's state. */
export interface StateKeys {
  readonly tensors: readonly string[];
  readonly numbers: readonly string[];
}

/** Without entries that are undefined. */
const defined = (x: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(x).filter(([, value]) => value !== undefined));

/** The error for a gradient that an optimizer does not take because it is sparse, or because it is not. */
export function refused(name: string, gradient: Tensor, shape: readonly number[]): DescentError {
  const sparse = gradient instanceof SparseTensor;
  const hint = sparse ? "Use SparseAdam, SGD or Adagrad, or a layer without { sparse: true }." : "Use Adam.";
  const fault = `does not support ${sparse ? "sparse" : "dense"} gradients`;
  return new DescentError("unsupported", `${name}.step`, fault, { shape }, hint);
}

/** An optimizer of one algorithm. A subclass says what it is in `describe` and changes the parameters in `update`. */
export abstract class SingleOptimizer<O extends object> extends Optimizer<O> {
  readonly defaults: O;
  readonly paramGroups: ParamGroup<O>[] = [];
  readonly state = new Map<Tensor, ParamState>();
  /** Entries of a loaded state that belong to no parameter. */
  #extraState: Record<string, unknown> = {};
  readonly description: Description<O>;

  constructor(params: Params | Iterable<GivenGroup<Given<O>>>, options: Given<O> = {}) {
    super();
    this.description = this.describe();
    const { name, options: table } = this.description;
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
  /** Throws when options that are fine one by one do not go together. */
  protected checkGroup(_group: O, _place: Place): void {}
  /** Throws for parameters this optimizer cannot take. */
  protected checkParams(_params: readonly Tensor[], _place: Place): void {}
  /** Shape of the state tensor `key` of `p`; null: not known. */
  protected stateShape(_key: string, p: Tensor): readonly number[] | null {
    return p.shape;
  }
  /** Keys that the state of a parameter must have, once it has any. */
  protected stateKeys(_group: ParamGroup<O>, _p: Tensor): StateKeys {
    return { tensors: [], numbers: [] };
  }

  get name(): string {
    return this.description.name;
  }

  override addParamGroup(group: GivenGroup<Given<O>>): void {
    const { name, options: table } = this.description;
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

  override checkStep(): void {
    this.checkOptions();
    for (const { grad, shape } of this.parameters) {
      if (grad instanceof SparseTensor) throw refused(this.name, grad, shape);
    }
  }

  /** Throws for options that were edited into something invalid. */
  protected checkOptions(): void {
    for (const [i, group] of this.paramGroups.entries()) {
      checkValues(`${this.name}.step`, group, this.description.options, { group: i });
      this.checkGroup(group, { group: i });
    }
  }

  protected override pack(): StateDict {
    return pack(this.paramGroups, this.state, this.#extraState, this.description.flags ?? []);
  }

  override prepareLoad(sd: StateDict, options: LoadOptions): () => void {
    const target = {
      description: this.description,
      groups: this.paramGroups,
      state: this.state,
      check: (group: O, place: Place) => this.checkGroup(group, place),
      shape: (key: string, p: Tensor) => this.stateShape(key, p),
      keys: (group: ParamGroup<O>, p: Tensor) => this.stateKeys(group, p),
    };
    const { groups, state, extra } = loadInto(target, sd, options);
    return () => {
      this.paramGroups.splice(0, this.paramGroups.length, ...groups);
      this.state.clear();
      for (const [p, own] of state) this.state.set(p, own);
      this.#extraState = extra;
    };
  }

  override clone(params: readonly Tensor[] = this.parameters): this {
    let next = 0;
    const groups = this.paramGroups.map((group) => ({
      ...group,
      params: group.params.map((_, i) => {
        const p = params[next++] as Tensor;
        return group.paramNames ? [group.paramNames[i], p] : p;
      }),
    }));
    const copy = new (this.constructor as new (groups: unknown, options: O) => this)(groups, this.defaults);
    copy.loadStateDict(pack(this.paramGroups, this.state, this.#extraState, []));
    return copy;
  }
}
