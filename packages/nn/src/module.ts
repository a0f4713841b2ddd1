import type { Tensor } from "@descent/tensor";
import { AnyModule } from "./any-module.ts";
import { type ForwardHook, type ForwardPreHook, Hooks } from "./hooks.ts";

/**
 * A part of a network: parameters, buffers and further modules, found among its properties (private `#names` are out of reach), and
 * a `forward` that uses them. Call `forward` itself: hooks run there too. torch.nn.Module in camelCase.
 *
 * @example
 * class Net extends Module {
 *   readonly hidden = new Linear(784, 128);
 *   readonly scores = new Linear(128, 10);
 *   override forward(x: Tensor) { return this.scores.forward(this.hidden.forward(x).relu()); }
 * }
 */
export abstract class Module<In extends readonly unknown[] = [Tensor], Out = Tensor> extends AnyModule {
  #hooks: Hooks | null = null;

  abstract override forward(...inputs: In): Out;

  /** Calls `hook` before every `forward`; inputs that it returns take the place of those given. */
  registerForwardPreHook(hook: ForwardPreHook<this, In>): { remove(): void } {
    return this.#hooked().add("before", hook);
  }
  /** Calls `hook` after every `forward`; what it returns, if anything, takes the place of the output. */
  registerForwardHook(hook: ForwardHook<this, In, Out>): { remove(): void } {
    return this.#hooked().add("after", hook);
  }
  #hooked(): Hooks {
    this.#hooks ??= new Hooks(this);
    return this.#hooks;
  }
  /** Whether hooks see what goes through `forward`: it must then not be bypassed by fusion. */
  get hasHooks(): boolean {
    return this.#hooks?.any ?? false;
  }
}
