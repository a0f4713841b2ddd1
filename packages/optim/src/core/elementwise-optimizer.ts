import {
  applyTraced,
  DescentError,
  defaultGenerator,
  gatherRows,
  type Launch,
  runTraced,
  SparseTensor,
  scatterRows,
  Tensor,
  type Traced,
} from "@descent/tensor";
import { checkValues } from "./options.ts";
import type { ParamGroup } from "./param-groups.ts";
import { PlannedUpdate } from "./planned-update.ts";
import { isNarrow } from "./rounding.ts";
import type { Rule, Updated } from "./rule.ts";
import { type Bag, isCurrent, readSetting, type Setting } from "./setting.ts";
import { refused, SingleOptimizer, type StateKeys } from "./single-optimizer.ts";
import { type ParamState, stateTensor } from "./state-dict.ts";
import { traceUpdate } from "./trace-update.ts";

/**
 * An optimizer whose update of an element needs only that element: its `rule` is traced once per structure into one program, and
 * a step is one launch per parameter, whatever the number of state buffers. Hyperparameters and counters never recompile it.
 */
export abstract class ElementwiseOptimizer<
  O extends object,
  S extends string = never,
  C extends string = "t",
> extends SingleOptimizer<O> {
  readonly #plans = new WeakMap<Tensor, PlannedUpdate>();
  readonly #specs = new Map<string, Traced>();
  readonly #settings: Setting[] = [];
  #names: readonly string[] = [];

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
  protected override stateKeys(group: ParamGroup<O>): StateKeys {
    return { tensors: Object.keys(this.buffers(group)), numbers: this.counters(group) };
  }
  /** Which gradients the rule can use. */
  protected gradients(): "dense" | "sparse" | "both" {
    return "dense";
  }

  /** All but differentiable and sparse updates. */
  override planned(): boolean {
    return this.paramGroups.every(
      (group) =>
        (group as { differentiable?: boolean }).differentiable !== true &&
        group.params.every(({ grad }) => !(grad instanceof SparseTensor)),
    );
  }

  override checkStep(): void {
    const taken = this.gradients();
    for (let i = 0; i < this.paramGroups.length; i++) {
      const group = this.paramGroups[i] as ParamGroup<O>;
      this.#settings[i] = this.#read(group, i);
      for (const p of group.params) {
        const g = p.grad;
        if (g !== null && (taken !== "dense" || g.dtype !== p.dtype || g instanceof SparseTensor))
          this.#checkGradient(p, g, group);
      }
    }
    this.#settings.length = this.paramGroups.length;
  }

  protected override update(): void {
    this.checkStep();
    const launches = new Map<Tensor["runtime"], Launch[]>();
    let runtime: Tensor["runtime"] | null = null;
    let list: Launch[] = [];
    for (const [i, group] of this.paramGroups.entries()) {
      const setting = this.#settings[i] as Setting;
      for (const [k, p] of group.params.entries()) {
        const g = p.grad;
        if (g === null) continue;
        if (g instanceof SparseTensor) this.updateSparse(p, g, group);
        else if (setting.o.differentiable === true) group.params[k] = this.#replace(p, g, group, setting);
        else {
          const launch = this.#launch(p, g, group, setting);
          if (launch === null) continue;
          if (p.runtime !== runtime) {
            runtime = p.runtime;
            list = launches.get(runtime) ?? [];
            launches.set(runtime, list);
          }
          list.push(launch);
        }
      }
    }
    for (const [on, all] of launches) on.submit(all);
  }

  /** Throws for a gradient that this optimizer cannot use. */
  #checkGradient(p: Tensor, g: Tensor, group: ParamGroup<O>): void {
    const operation = `${this.name}.step`;
    const taken = this.gradients();
    const sparse = g instanceof SparseTensor;
    if (taken !== "both" && sparse !== (taken === "sparse")) throw refused(this.name, g, p.shape);
    const { weightDecay = 0, differentiable = false, rounding = "nearest" } = group as Bag;
    if (sparse && (weightDecay !== 0 || differentiable || rounding !== "nearest")) {
      const option = differentiable ? "differentiable" : weightDecay !== 0 ? "weightDecay" : "rounding";
      const facts = { [option]: (group as Bag)[option] };
      throw new DescentError("unsupported", operation, `${option} does not go with sparse gradients`, facts);
    }
    if (g.dtype === p.dtype) return;
    const facts = { parameter: p.dtype, gradient: g.dtype };
    throw new DescentError("dtype", operation, "the gradient has another dtype than its parameter", facts);
  }

  /** A group's options; throws when an edit made them invalid. */
  #read(group: ParamGroup<O>, index: number): Setting {
    const { name, options: table } = this.description;
    if (this.#names.length === 0) this.#names = Object.keys(table);
    const last = this.#settings[index];
    if (last && isCurrent(last, group as Bag, this.#names)) return last;
    checkValues(`${name}.step`, group, table, { group: index });
    this.checkGroup(group, { group: index });
    const { differentiable, rounding = "nearest" } = group as Bag;
    if (differentiable === true && rounding !== "nearest") {
      const facts = { rounding, group: index };
      throw new DescentError("unsupported", `${name}.step`, "rounding does not go with differentiable", facts);
    }
    const buffers = this.buffers(group) as Record<string, number>;
    return readSetting(name, group as Bag, this.#names, this.switches(), buffers);
  }

  /** The launch that updates `p` by `g`, planned earlier or now; null for a parameter without elements. */
  #launch(p: Tensor, g: Tensor, group: ParamGroup<O>, read: Setting): Launch | null {
    const setting = read.plain === null || isNarrow(p.dtype) ? read : read.plain;
    const { counters, fixed } = this.#advance(p, group, setting);
    if (p.size === 0) return null;
    const spec = this.#spec(p, setting, counters);
    let plan = this.#plans.get(p);
    if (plan === undefined || !plan.fits(spec, g, fixed)) {
      const operands = [p, g, ...fixed.slice(1, 1 + setting.names.length), ...setting.hypers, ...counters.values];
      plan = new PlannedUpdate(spec, operands, setting.names.length);
      this.#plans.set(p, plan);
    }
    setting.shared = plan.uniforms(setting.hypers, counters.values, setting.shared);
    const launch = plan.launch(g, setting.shared.values);
    for (let k = 0; k <= setting.names.length; k++) (fixed[k] as Tensor).storage.version++;
    return launch;
  }

  /** Counts a step of `p`, and makes the buffers it lacks. */
  #advance(p: Tensor, group: ParamGroup<O>, setting: Setting) {
    const { names, dtype, buffers, hypers } = setting;
    const known = this.state.get(p);
    const state = known ?? {};
    const fixed = [p];
    let missing: string | null = null;
    for (const name of names) {
      const buffer = state[name];
      if (buffer instanceof Tensor) fixed.push(buffer);
      else missing ??= name;
    }
    const given = this.advance(state, group, missing !== null && missing !== "compensation");
    if (missing !== null) {
      fixed.length = 1;
      for (const name of names) {
        if (!(state[name] instanceof Tensor)) state[name] = stateTensor(p, buffers[name] as number, dtype ?? p.dtype);
        fixed.push(state[name] as Tensor);
      }
    }
    if (!known && Object.keys(state).length > 0) this.state.set(p, state);
    for (const x of hypers) if (typeof x !== "number") fixed.push(x);
    const values: number[] = Object.values(given);
    if (setting.rounding === "stochastic" && isNarrow(p.dtype)) values.push(...defaultGenerator.next());
    return { counters: { names: Object.keys(given), values }, fixed };
  }

  /** The rule applied to the rows that a sparse gradient touches: the cost is theirs, and other rows and their state stay. */
  protected updateSparse(p: Tensor, given: SparseTensor, group: ParamGroup<O>): void {
    const g = given.coalesce();
    const setting = this.#read(group, this.paramGroups.indexOf(group));
    const { counters, fixed } = this.#advance(p, group, setting);
    if (g.nnz === 0) return;
    const whole = [p.detach(), ...fixed.slice(1, 1 + setting.names.length)];
    const [rows, ...buffers] = whole.map((x) => gatherRows(x, g)) as [Tensor, ...Tensor[]];
    const operands = [rows, g.values, ...buffers, ...setting.hypers, ...counters.values];
    const updated = runTraced(this.#spec(p, setting, counters), operands);
    whole.forEach((x, k) => {
      scatterRows(x, g, updated[k] as Tensor);
    });
  }

  /** One differentiable update: everything is recorded, and new tensors take the place of parameter and buffers. */
  #replace(p: Tensor, g: Tensor, group: ParamGroup<O>, setting: Setting): Tensor {
    const { counters, fixed } = this.#advance(p, group, setting);
    const { names, hypers } = setting;
    const operands = [p, g, ...fixed.slice(1, 1 + names.length), ...hypers, ...counters.values];
    const spec = this.#spec(p, setting, counters);
    const [next, ...buffers] = applyTraced(spec, operands, { shape: p.shape }) as [Tensor, ...Tensor[]];
    const state = this.state.get(p);
    if (state) {
      this.state.delete(p);
      this.state.set(next, { ...state, ...Object.fromEntries(names.map((name, k) => [name, buffers[k]])) });
    }
    return next;
  }

  /** The traced update of `p` for a group's structure. */
  #spec({ dtype }: Tensor, setting: Setting, { names }: { names: readonly string[] }): Traced {
    const ready = setting.specs[dtype];
    if (ready) return ready;
    const key = `${setting.key}|${setting.names}|${dtype}`;
    const rule = (x: object) => this.rule(x as Rule<O, S, C>) as Updated<string>;
    const spec = this.#specs.get(key) ?? traceUpdate(this.name, key, dtype, setting, names, rule);
    this.#specs.set(key, spec);
    setting.specs[dtype] = spec;
    return spec;
  }
}
