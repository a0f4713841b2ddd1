import {
  applyTraced,
  DescentError,
  type DType,
  gatherRows,
  type Launch,
  runTraced,
  SparseTensor,
  scatterRows,
  Tensor,
  type Traced,
  type Value,
} from "@descent/tensor";
import { Optimizer } from "./optimizer.ts";
import { checkValues } from "./options.ts";
import type { ParamGroup } from "./param-groups.ts";
import { PlannedUpdate, type UniformMemo } from "./planned-update.ts";
import type { Rule, Updated } from "./rule.ts";
import { type ParamState, stateTensor } from "./state-dict.ts";

type Bag = Record<string, unknown>;

/** A group's options in this step, in the form launches need. */
interface Setting {
  /** What decides the program, and its spelling. */
  readonly o: Bag;
  readonly key: string;
  /** Numeric options in order: name, and whether it is a pair; and all their values in a row. */
  readonly numeric: readonly { readonly option: string; readonly isPair: boolean }[];
  readonly hypers: readonly (number | Tensor)[];
  readonly buffers: Readonly<Record<string, number>>;
  readonly dtype: DType | null;
  readonly memo: UniformMemo;
}

/**
 * An optimizer whose update of an element needs only that element: its `rule` is traced once per structure into one program, and
 * a step is one launch per parameter, whatever the number of state buffers. Hyperparameters and counters never recompile it.
 */
export abstract class ElementwiseOptimizer<
  O extends object,
  S extends string = never,
  C extends string = "t",
> extends Optimizer<O> {
  readonly #plans = new WeakMap<Tensor, PlannedUpdate>();
  readonly #specs = new Map<string, Traced>();
  /** Hyperparameters that were last found valid. */
  readonly #valid = new WeakMap<object, readonly unknown[]>();

  /** The update of one element. */
  protected abstract rule(rule: Rule<O, S, C>): Updated<S>;
  /** State buffers under these options, with what they are filled with at first. */
  protected abstract buffers(group: O): { readonly [K in S]?: number };
  /** Numeric options for which being zero makes another program. */
  protected switches(): readonly (keyof O & string)[] {
    return [];
  }
  /** Counts a step of one parameter, and gives the numbers the rule is handed; `fresh`: its buffers are new. */
  protected advance(state: ParamState, _group: O, _fresh: boolean): Record<C, number> {
    state.step = ((state.step as number | undefined) ?? 0) + 1;
    return { t: state.step as number } as Record<C, number>;
  }
  /** Keys of numbers in the state. */
  protected counters(_group: O): readonly string[] {
    return ["step"];
  }
  protected override stateKeys(group: ParamGroup<O>) {
    return { tensors: Object.keys(this.buffers(group)), numbers: this.counters(group) };
  }

  protected override update(): void {
    const work = this.paramGroups.map((group) => ({ group, setting: this.#setting(group) }));
    for (const { group } of work)
      for (const p of group.params) if (p.grad !== null) this.checkGradient(p, p.grad, group);
    const launches = new Map<Tensor["runtime"], Launch[]>();
    for (const { group, setting } of work) {
      const differentiable = setting.o.differentiable === true;
      for (const [i, p] of group.params.entries()) {
        if (p.grad === null) continue;
        if (p.grad instanceof SparseTensor) {
          this.updateSparse(p, p.grad, group);
          continue;
        }
        const { state, counters } = this.#advance(p, group, setting);
        const names = Object.keys(setting.buffers);
        const buffers = names.map((name) => state[name] as Tensor);
        const operands = [p, p.grad, ...buffers, ...setting.hypers, ...Object.values<number>(counters)];
        const spec = this.#spec(setting, Object.keys(counters));
        if (differentiable) group.params[i] = this.#replace(p, spec, operands, names);
        else if (p.size > 0) {
          const launch = this.#planned(p, spec, operands, names.length).launch(operands, setting.memo);
          const list = launches.get(p.runtime);
          if (list) list.push(launch);
          else launches.set(p.runtime, [launch]);
          for (const changed of [p, ...buffers]) changed.storage.version++;
        }
      }
    }
    for (const [runtime, list] of launches) runtime.submit(list);
  }

  /** All but differentiable and sparse updates. */
  protected override planned(): boolean {
    return this.paramGroups.every(
      (group) =>
        (group as { differentiable?: boolean }).differentiable !== true &&
        group.params.every(({ grad }) => !(grad instanceof SparseTensor)),
    );
  }

  /** Which gradients the rule can use. */
  protected gradients(): "dense" | "sparse" | "both" {
    return "dense";
  }
  /** Throws for a gradient that this optimizer cannot use. */
  protected checkGradient(p: Tensor, g: Tensor, group: ParamGroup<O>): void {
    const operation = `${this.name}.step`;
    const taken = this.gradients();
    const sparse = g instanceof SparseTensor;
    if (taken !== "both" && sparse !== (taken === "sparse")) {
      const hint = sparse ? "Use SparseAdam, or SGD or Adagrad, or a layer without { sparse: true }." : "Use Adam.";
      const fault = `does not support ${sparse ? "sparse" : "dense"} gradients`;
      throw new DescentError("unsupported", operation, fault, { shape: p.shape }, hint);
    }
    const { weightDecay = 0, differentiable = false } = group as { weightDecay?: unknown; differentiable?: boolean };
    if (sparse && (weightDecay !== 0 || differentiable)) {
      const option = differentiable ? "differentiable" : "weightDecay";
      const facts = { [option]: (group as Bag)[option] };
      throw new DescentError("unsupported", operation, `${option} does not go with sparse gradients`, facts);
    }
    if (g.dtype === p.dtype) return;
    const facts = { parameter: p.dtype, gradient: g.dtype };
    throw new DescentError("dtype", operation, "the gradient has another dtype than its parameter", facts);
  }

  /** The rule applied to the rows that a sparse gradient touches: the cost is theirs, and other rows and their state stay. */
  protected updateSparse(p: Tensor, given: SparseTensor, group: ParamGroup<O>): void {
    const g = given.coalesce();
    const setting = this.#setting(group);
    const { state, counters } = this.#advance(p, group, setting);
    if (g.nnz === 0) return;
    const names = Object.keys(setting.buffers);
    const whole = [p.detach(), ...names.map((name) => state[name] as Tensor)];
    const [rows, ...buffers] = whole.map((x) => gatherRows(x, g)) as [Tensor, ...Tensor[]];
    const operands = [rows, g.values, ...buffers, ...setting.hypers, ...Object.values<number>(counters)];
    const updated = runTraced(this.#spec(setting, Object.keys(counters)), operands);
    whole.forEach((x, k) => {
      scatterRows(x, g, updated[k] as Tensor);
    });
  }

  /** Reads a group's options; throws when an edit made them invalid. */
  #setting(group: ParamGroup<O>): Setting {
    const { name, options: table } = this.description;
    const switches = this.switches() as readonly string[];
    const numeric: { option: string; isPair: boolean }[] = [];
    const hypers: (number | Tensor)[] = [];
    const o: Bag = {};
    let key = name;
    for (const option of Object.keys(table)) {
      const value = (group as Bag)[option];
      const isPair = Array.isArray(value);
      if (isPair || typeof value === "number" || value instanceof Tensor) {
        numeric.push({ option, isPair });
        hypers.push(...(isPair ? value : [value]));
        if (!switches.includes(option)) continue;
        o[option] = value !== 0;
      } else o[option] = value;
      key += ` ${option}=${o[option]}`;
    }
    const last = this.#valid.get(group);
    const now = [key, ...hypers];
    if (!last || now.some((x, i) => x !== last[i])) {
      const place = { group: this.paramGroups.indexOf(group) };
      checkValues(`${name}.step`, group, table, place);
      this.checkGroup(group, place);
      this.#valid.set(group, now);
    }
    const buffers = this.buffers(group) as Record<string, number>;
    return { o, key, numeric, hypers: hypers.map(scalar), buffers, dtype: dtypeOf(group), memo: new Map() };
  }

  /** Counts a step of `p`, and makes the buffers it lacks. */
  #advance(p: Tensor, group: ParamGroup<O>, { buffers }: Setting) {
    const state = this.state.get(p) ?? {};
    const fresh = Object.keys(buffers).some((name) => !(state[name] instanceof Tensor));
    const counters = this.advance(state, group, fresh);
    if (fresh) fill(p, state, buffers, dtypeOf(group));
    if (!this.state.has(p) && Object.keys(state).length > 0) this.state.set(p, state);
    return { state, counters };
  }

  /** The launch planned for `p` earlier, or a new one. */
  #planned(p: Tensor, spec: Traced, operands: readonly (Tensor | number)[], buffers: number): PlannedUpdate {
    const known = this.#plans.get(p);
    if (known?.fits(spec, operands)) return known;
    const plan = new PlannedUpdate(spec, operands, [0, ...Array.from({ length: buffers }, (_, k) => k + 2)]);
    this.#plans.set(p, plan);
    return plan;
  }

  /** Makes the buffers of every parameter now rather than with its first gradient. */
  protected fillState(group: ParamGroup<O>): void {
    for (const p of group.params) {
      const state: ParamState = { step: 0 };
      fill(p, state, this.buffers(group) as Record<string, number>, dtypeOf(group));
      this.state.set(p, state);
    }
  }

  /** One differentiable update: everything is recorded, and new tensors take the place of parameter and buffers. */
  #replace(p: Tensor, spec: Traced, operands: readonly (Tensor | number)[], names: readonly string[]): Tensor {
    const [next, ...buffers] = applyTraced(spec, operands, { shape: p.shape }) as [Tensor, ...Tensor[]];
    const state = this.state.get(p);
    if (state) {
      this.state.delete(p);
      this.state.set(next, { ...state, ...Object.fromEntries(names.map((name, k) => [name, buffers[k]])) });
    }
    return next;
  }

  /** The traced update for a group's structure. */
  #spec({ o, key, numeric, buffers, dtype }: Setting, counters: readonly string[]): Traced {
    const names = Object.keys(buffers);
    const full = `${key}|${names}|${dtype}`;
    const known = this.#specs.get(full);
    if (known) return known;
    const spec: Traced = {
      name: this.name,
      key: full,
      dtype: ([p]) => (p as Tensor).dtype,
      outputs: (computed) => [computed, ...names.map(() => dtype ?? computed)],
      body: (values) => {
        let next = 0;
        const take = () => values[next++] as Value;
        const [p, g] = [take(), take()];
        const s = Object.fromEntries(names.map((name) => [name, take()]));
        const h = Object.fromEntries(numeric.map(({ option, isPair }) => [option, isPair ? [take(), take()] : take()]));
        const c = Object.fromEntries(counters.map((name) => [name, take()]));
        const given = { p, g: o.maximize === true ? g.neg() : g, s, h, c, o };
        const updated = this.rule(given as unknown as Rule<O, S, C>) as Readonly<Record<string, Value | undefined>>;
        return [updated.p as Value, ...names.map((name) => updated[name] ?? (s[name] as Value))];
      },
    };
    this.#specs.set(full, spec);
    return spec;
  }
}

const dtypeOf = (group: object): DType | null => (group as { stateDtype?: DType | null }).stateDtype ?? null;

/** A hyperparameter that is a tensor, without axes. */
const scalar = (x: number | Tensor): number | Tensor => (typeof x === "number" || x.ndim === 0 ? x : x.reshape([]));

function fill(p: Tensor, state: ParamState, buffers: Readonly<Record<string, number>>, dtype: DType | null): void {
  for (const [name, value] of Object.entries(buffers))
    if (!(state[name] instanceof Tensor)) state[name] = stateTensor(p, value, dtype ?? p.dtype);
}
