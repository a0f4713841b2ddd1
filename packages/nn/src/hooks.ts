import { DescentError } from "@descent/tensor";
import type { AnyModule } from "./any-module.ts";

/** Sees the inputs of a `forward`; those it returns, if any, take their place. */
export type ForwardPreHook<M, In extends readonly unknown[]> = (module: M, inputs: In) => In | undefined;
/** Sees the inputs and the output of a `forward`; what it returns, if anything, takes the output's place. */
export type ForwardHook<M, In extends readonly unknown[], Out> = (
  module: M,
  inputs: In,
  output: Out,
) => Out | undefined;

/**
 * The hooks of one module. They run inside `forward` itself: while there are any, the module has a `forward` of its own that
 * calls them around the one of its class, so that nobody can forget to go through them and nobody pays who has none.
 */
export class Hooks {
  readonly #module: AnyModule;
  readonly #before = new Set<(module: AnyModule, inputs: readonly unknown[]) => readonly unknown[] | undefined>();
  readonly #after = new Set<(module: AnyModule, inputs: readonly unknown[], output: unknown) => unknown>();

  constructor(module: AnyModule) {
    this.#module = module;
  }

  get any(): boolean {
    return this.#before.size + this.#after.size > 0;
  }

  /** Adds a hook of the module's own types; one function may be added twice. */
  add(when: "before" | "after", hook: (...args: never[]) => unknown): { remove(): void } {
    if (typeof hook !== "function")
      throw new DescentError("argument", "registerHook", "takes a function", { got: typeof hook });
    const hooks: Set<unknown> = when === "before" ? this.#before : this.#after;
    const own = (...args: unknown[]) => hook(...(args as never[]));
    if (!this.any) this.#wrap();
    hooks.add(own);
    return {
      remove: () => {
        if (hooks.delete(own) && !this.any) Reflect.deleteProperty(this.#module, "forward");
      },
    };
  }

  #wrap(): void {
    const module = this.#module;
    const { forward } = module;
    const value = (...given: readonly unknown[]): unknown => {
      let inputs = given;
      for (const hook of this.#before) inputs = hook(module, inputs) ?? inputs;
      let output = forward.apply(module, inputs as never[]);
      for (const hook of this.#after) output = hook(module, inputs, output) ?? output;
      return output;
    };
    Object.defineProperty(module, "forward", { value, configurable: true, enumerable: false });
  }
}
