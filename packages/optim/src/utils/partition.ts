import { DescentError, type Tensor } from "@descent/tensor";
import { Optimizer } from "../core/optimizer.ts";
import { checkDistinct, type GivenGroup, type ParamGroup, readParams } from "../core/param-groups.ts";
import { printed } from "../core/print.ts";
import { checkShapeOf, type LoadOptions, type ParamState, type StateDict } from "../core/state-dict.ts";
import { type NamedParameters, namedParameters } from "./named.ts";

type AnyOptimizer = Optimizer<object>;
/** Options that any group may have. */
type AnyOptions = { lr: number } & Record<string, unknown>;
type Group = ParamGroup<AnyOptions>;

/** Makes the optimizer of one part from its parameters, with their names. */
export type MakePart = (params: (readonly [string, Tensor])[]) => Optimizer<object>;

/**
 * Several optimizers as one, each over its own parameters: what is done to the whole (steps, hooks, schedules, saving and loading)
 * is done to all of them, and hooks of a part run around its own share. Made by `partition`.
 */
export class Partition extends Optimizer<AnyOptions> {
  readonly name: string = "Partition";
  /** Defaults belong to the parts: this is empty. */
  readonly defaults = {} as AnyOptions;
  /** The optimizers by label, for what concerns one of them alone. */
  readonly parts: Readonly<Record<string, AnyOptimizer>>;

  constructor(parts: Readonly<Record<string, AnyOptimizer>>) {
    super();
    this.parts = parts;
    const earlier: { params: Tensor[] }[] = [];
    for (const [label, part] of Object.entries(parts)) {
      if (part.needsClosure) {
        const facts = { part: label, optimizer: part.name };
        const hint = "Step it by itself: optimizer.step(closure).";
        throw new DescentError("unsupported", "partition", "a part evaluates the loss itself", facts, hint);
      }
      for (const { params } of part.paramGroups) {
        checkDistinct("partition", params, earlier);
        earlier.push({ params });
      }
    }
  }

  get #all(): AnyOptimizer[] {
    return Object.values(this.parts);
  }
  /** The groups of all parts, part after part. */
  get paramGroups(): readonly Group[] {
    return this.#all.flatMap((part) => part.paramGroups as readonly unknown[] as Group[]);
  }
  get state(): ReadonlyMap<Tensor, ParamState> {
    return new Map(this.#all.flatMap((part) => [...part.state]));
  }

  /** Adds a group to the part that its `part` names. */
  override addParamGroup(group: GivenGroup<{ readonly part?: string } & Record<string, unknown>>): void {
    const { part: label, ...rest } = group;
    const part = this.parts[label ?? ""];
    if (!part) {
      const facts = { part: label, parts: Object.keys(this.parts) };
      throw new DescentError("argument", "Partition", "a group names no part", facts, '{ part: "rest", params }');
    }
    const { params } = readParams("Partition", group);
    checkDistinct("Partition", params, this.paramGroups as readonly { params: Tensor[] }[]);
    part.addParamGroup(rest as GivenGroup<object>);
  }

  override checkStep(): void {
    for (const part of this.#all) part.checkStep();
  }
  protected override update(): void {
    this.checkStep(); // of all parts, before any of them changes something
    for (const part of this.#all) part.updateAsPart();
  }
  override planned(): boolean {
    return this.#all.every((part) => part.planned() && !part.hasStepHooks);
  }

  protected override pack(): StateDict {
    const state: Record<string, unknown> = {};
    const param_groups: Record<string, unknown>[] = [];
    let first = 0;
    for (const [label, part] of Object.entries(this.parts)) {
      const own = part.stateDict();
      const isIndex = new Set(own.param_groups.flatMap(({ params }) => (params as number[]).map(String)));
      for (const [key, value] of Object.entries(own.state))
        state[isIndex.has(key) ? first + Number(key) : `${label}.${key}`] = value;
      for (const group of own.param_groups)
        param_groups.push({ ...group, part: label, params: (group.params as number[]).map((i) => i + first) });
      first += part.parameters.length;
    }
    return { state, param_groups };
  }

  override prepareLoad(sd: StateDict, options: LoadOptions): () => void {
    checkShapeOf("Partition", sd);
    const labels = Object.keys(this.parts);
    const saved = [...new Set(sd.param_groups.map(({ part }) => part))];
    if (
      saved.some((label) => !labels.includes(label as string)) ||
      (saved.length < labels.length && !options.partial)
    ) {
      const hint = "Was it saved by another optimizer?";
      const facts = { saved: saved.map(String), present: labels };
      throw new DescentError("state", "Partition.loadStateDict", "the parts differ", facts, hint);
    }
    const commits = labels
      .filter((label) => saved.includes(label))
      .map((label) => (this.parts[label] as AnyOptimizer).prepareLoad(partOf(sd, label), options));
    return () => {
      for (const commit of commits) commit();
    };
  }

  override clone(params: readonly Tensor[] = this.parameters): this {
    let first = 0;
    const parts = Object.entries(this.parts).map(([label, part]) => {
      const count = part.parameters.length;
      first += count;
      return [label, part.clone(params.slice(first - count, first))];
    });
    return new (this.constructor as new (parts: object) => this)(Object.fromEntries(parts));
  }

  override toString(): string {
    const groups = Object.entries(this.parts).flatMap(([label, part]) =>
      part.paramGroups.map((group) => ({ ...(group as object), part: `${label}, by ${part.name}` })),
    );
    return printed(this.name, groups);
  }
}

/** What a packed state says of one part. */
function partOf(sd: StateDict, label: string): StateDict {
  const own = sd.param_groups.filter(({ part }) => part === label);
  const keys = new Set(own.flatMap(({ params }) => (params as number[]).map(String)));
  const prefix = `${label}.`;
  const entries = Object.entries(sd.state).flatMap(([key, value]) => {
    if (keys.has(key)) return [[key, value]];
    return key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [];
  });
  return { state: Object.fromEntries(entries), param_groups: own.map(({ part: _, ...group }) => group) };
}

/**
 * One optimizer that treats parameters differently: `label` says for each to which part it belongs. A part that gets no parameter is
 * left out.
 *
 * @example
 * const optimizer = partition(
 *   model,
 *   { matrices: (p) => new Muon(p, { lr: 0.02 }), rest: (p) => new AdamW(p, { lr: 3e-4 }) },
 *   (name, p) => (p.ndim === 2 && !name.startsWith("head") ? "matrices" : "rest"),
 * );
 */
export function partition(
  model: NamedParameters,
  parts: Readonly<Record<string, MakePart>>,
  label: (name: string, p: Tensor) => string,
): Partition {
  const lists = new Map(Object.keys(parts).map((part) => [part, [] as (readonly [string, Tensor])[]]));
  for (const [name, p] of namedParameters("partition", model)) {
    const part = label(name, p);
    const list = lists.get(part);
    if (!list) {
      const facts = { parameter: name, label: part, parts: Object.keys(parts) };
      throw new DescentError("argument", "partition", "a parameter is labelled with no part", facts);
    }
    list.push([name, p]);
  }
  const made = [...lists].filter(([, list]) => list.length > 0);
  return new Partition(Object.fromEntries(made.map(([part, list]) => [part, (parts[part] as MakePart)(list)])));
}
