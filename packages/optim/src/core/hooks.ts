import { DescentError } from "@descent/tensor";
import type { Optimizer } from "./optimizer.ts";
import type { StateDict } from "./state-dict.ts";

/** What registering a hook gives back. */
export interface HookHandle {
  /** Takes the hook out again; a second call does nothing. */
  remove(): void;
}

/** Hooks in the order they run. */
export class Hooks<F> {
  #list: { readonly hook: F }[] = [];

  /** Adds `hook` at the end, or with `prepend` in front. */
  add(hook: F, { prepend = false }: { prepend?: boolean } = {}): HookHandle {
    const entry = { hook };
    this.#list = prepend ? [entry, ...this.#list] : [...this.#list, entry];
    return {
      remove: () => {
        this.#list = this.#list.filter((other) => other !== entry);
      },
    };
  }

  get all(): readonly F[] {
    return this.#list.map(({ hook }) => hook);
  }
  get isEmpty(): boolean {
    return this.#list.length === 0;
  }
}

/** The one argument that `step` may have. */
export type StepArguments = readonly [closure?: () => unknown];
/** Runs before a step; may return other arguments for it, as a list. */
export type StepPreHook = (optimizer: Optimizer<object>, args: StepArguments) => unknown;
export type StepPostHook = (optimizer: Optimizer<object>, args: StepArguments) => void;
type Watch = (optimizer: Optimizer<object>) => void;
type Replace = (optimizer: Optimizer<object>, sd: StateDict) => StateDict | undefined;

const globalPre = new Hooks<StepPreHook>();
const globalPost = new Hooks<StepPostHook>();

/** Runs `hook` before every step of every optimizer, ahead of their own hooks. */
export const registerOptimizerStepPreHook = (hook: StepPreHook): HookHandle => globalPre.add(hook);
/** Runs `hook` after every step of every optimizer, behind their own hooks. */
export const registerOptimizerStepPostHook = (hook: StepPostHook): HookHandle => globalPost.add(hook);

/** The hooks of one optimizer. */
class OptimizerHooks {
  readonly pre = new Hooks<StepPreHook>();
  readonly post = new Hooks<StepPostHook>();
  readonly save = new Hooks<Watch>();
  readonly saved = new Hooks<Replace>();
  readonly load = new Hooks<Replace>();
  readonly loaded = new Hooks<Watch>();

  /** Whether hooks of this optimizer run around a step. */
  get aroundStep(): boolean {
    return !(this.pre.isEmpty && this.post.isEmpty);
  }

  /** Runs what comes before a step, those of all optimizers first; gives the step's arguments. */
  before(optimizer: Optimizer<object>, given: StepArguments, outermost: boolean): StepArguments {
    let args = given;
    for (const hook of [...(outermost ? globalPre.all : []), ...this.pre.all]) {
      const other = hook(optimizer, args);
      if (other === undefined) continue;
      if (!Array.isArray(other)) {
        const operation = `${optimizer.name}.step`;
        const hint = "Return nothing, or a list with the closure.";
        throw new DescentError("argument", operation, "a hook returned no arguments", { got: typeof other }, hint);
      }
      args = other as unknown as StepArguments;
    }
    return args;
  }

  /** Runs what comes after a step, those of all optimizers last. */
  after(optimizer: Optimizer<object>, args: StepArguments, outermost: boolean): void {
    for (const hook of [...this.post.all, ...(outermost ? globalPost.all : [])]) hook(optimizer, args);
  }
}

/** What of an optimizer is about hooks. */
export abstract class Hooked {
  protected readonly hooks = new OptimizerHooks();

  registerStepPreHook(hook: StepPreHook): HookHandle {
    return this.hooks.pre.add(hook);
  }
  registerStepPostHook(hook: StepPostHook): HookHandle {
    return this.hooks.post.add(hook);
  }
  /** Runs before the state is packed. */
  registerStateDictPreHook(hook: Watch, options?: { prepend?: boolean }): HookHandle {
    return this.hooks.save.add(hook, options);
  }
  /** Sees the packed state, and may return another. */
  registerStateDictPostHook(hook: Replace, options?: { prepend?: boolean }): HookHandle {
    return this.hooks.saved.add(hook, options);
  }
  /** Sees the state to be loaded (a copy of its records), and may return another. */
  registerLoadStateDictPreHook(hook: Replace, options?: { prepend?: boolean }): HookHandle {
    return this.hooks.load.add(hook, options);
  }
  /** Runs when a state has been loaded. */
  registerLoadStateDictPostHook(hook: Watch, options?: { prepend?: boolean }): HookHandle {
    return this.hooks.loaded.add(hook, options);
  }
}
