import { hosted, SparseTensor, type Tensor } from "@descent/tensor";
import { Hooked, type StepArguments } from "./hooks.ts";
import { overwrite } from "./overwrite.ts";
import type { GivenGroup, ParamGroup } from "./param-groups.ts";
import { printed } from "./print.ts";
import { copyRecords, type LoadOptions, type ParamState, type StateDict } from "./state-dict.ts";

const isPromise = (x: unknown): x is Promise<unknown> =>
  typeof (x as Promise<unknown> | undefined)?.then === "function";

/**
 * What every optimizer offers, with the semantics of torch.optim.Optimizer: parameter groups with live options, hooks, and a state
 * that can be saved and loaded. `SingleOptimizer` is the base of the algorithms, `Partition` puts several of them together.
 */
export abstract class Optimizer<O extends object> extends Hooked {
  /** As in torch.optim; for messages and printing. */
  abstract readonly name: string;
  /** Options of groups that do not say otherwise; editing it changes groups that are added later. */
  abstract readonly defaults: O;
  /** The groups; their options may be edited between steps. */
  abstract readonly paramGroups: readonly ParamGroup<O>[];
  /** By parameter; an entry appears with the first step in which the parameter has a gradient. */
  abstract readonly state: ReadonlyMap<Tensor, ParamState>;

  /** Adds a group; options it does not give come from `defaults`. The object itself is not changed, nor kept. */
  abstract addParamGroup(group: GivenGroup<object>): void;
  /** Throws, before a step, for options that were edited into something invalid, and for gradients it cannot use. */
  abstract checkStep(): void;
  /** Changes parameters and state, and nothing else: the step without closure and hooks. */
  protected abstract update(): void;
  /** The state, packed. */
  protected abstract pack(): StateDict;
  /** Reads a packed state; what it returns takes it over. Throws with nothing changed. */
  abstract prepareLoad(sd: StateDict, options: LoadOptions): () => void;

  /** The same optimizer, options and state, over other parameters (default: the same ones), in the order of `parameters`. */
  abstract clone(params?: readonly Tensor[]): this;

  /** Whether `step` has to be given a closure. */
  get needsClosure(): boolean {
    return false;
  }
  get hasStepHooks(): boolean {
    return this.hooks.aroundStep;
  }
  /** Every parameter, group after group. */
  get parameters(): Tensor[] {
    return this.paramGroups.flatMap(({ params }) => params);
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
    const args = this.hooks.before(this as never, closure ? [closure] : [], true);
    const finish = (result: unknown): unknown => {
      hosted({ planned: () => true, run: () => {}, after: () => this.#finish(args) });
      return result;
    };
    const result = this.run(args[0]);
    return (isPromise(result) ? result.then(finish) : finish(result)) as R;
  }

  /** The step between the hooks. */
  protected run(closure: (() => unknown) | undefined): unknown {
    const update = (loss: unknown): unknown => {
      hosted({ planned: () => this.planned(), run: () => this.update(), after: () => {} });
      return loss;
    };
    const loss = closure?.();
    return isPromise(loss) ? loss.then(update) : update(loss);
  }

  /** Whether `update` hands over all its launches at once, so that a captured step can run them with its own. */
  planned(): boolean {
    return false;
  }

  /** The update between this optimizer's own hooks, for a composite that it is part of. */
  updateAsPart(): void {
    const args = this.hooks.before(this as never, [], false);
    this.update();
    this.hooks.after(this as never, args, false);
  }

  #finish(args: StepArguments): void {
    this.hooks.after(this as never, args, true);
    this.#endStep();
  }

  /** A step closes a generation of memory: see `Memory.endStep`. A differentiable one does not, since its graph lives on. */
  #endStep(): void {
    const runtimes = new Set<Tensor["runtime"]>();
    for (const group of this.paramGroups) {
      if ((group as { differentiable?: boolean }).differentiable) return;
      for (const { runtime } of group.params) runtimes.add(runtime);
    }
    for (const { memory } of runtimes) memory.endStep();
  }

  /** The state in PyTorch's shape and spelling; its tensors are the live ones. */
  stateDict(): StateDict {
    for (const hook of this.hooks.save.all) hook(this as never);
    let sd = this.pack();
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
    this.prepareLoad(sd, options)();
    for (const hook of this.hooks.loaded.all) hook(this as never);
  }

  /** The groups and their options, as PyTorch prints them. */
  override toString(): string {
    return printed(this.name, this.paramGroups);
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
