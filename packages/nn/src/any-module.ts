import {
  type Backend,
  DescentError,
  type DType,
  isFloat,
  SparseTensor,
  structureChanged,
  type Tensor,
} from "@descent/tensor";
import { Buffer, Parameter, rebind, setRequiresGrad } from "./parameter.ts";
import { type LoadResult, load, type StateDict } from "./state.ts";

type Member = Parameter | Buffer | AnyModule;

const join = (path: string, name: string): string => (path ? `${path}.${name}` : name);
const indent = (text: string): string => text.replaceAll("\n", "\n  ");

/** What all modules have in common, whatever they take and give: see `Module`, which networks extend. */
export abstract class AnyModule {
  /** Whether dropout drops and batch norm learns: see `train` and `eval`. */
  training = true;

  abstract forward(...inputs: never[]): unknown;

  /** Parameters, buffers and modules that this one holds itself, by name. Containers say so differently. */
  protected members(): [string, Member][] {
    const found: [string, Member][] = [];
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Parameter || value instanceof Buffer || value instanceof AnyModule)
        found.push([name, value]);
      else if (Array.isArray(value) && value.some((x) => x instanceof AnyModule || x instanceof Parameter)) {
        const hint = "Use new ModuleList([…]) or new ParameterList([…]).";
        const facts = { module: this.constructor.name, property: name };
        throw new DescentError("argument", "Module", "what a plain array holds is not registered", facts, hint);
      }
    }
    return found;
  }

  /** What `stateDict()` calls a property: PyTorch's name, where that differs. */
  protected stateName(property: string): string {
    return property;
  }

  /** The modules this one holds itself, by name. */
  namedChildren(): [string, AnyModule][] {
    return this.members().filter((member): member is [string, AnyModule] => member[1] instanceof AnyModule);
  }
  children(): AnyModule[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** This module (under the name `prefix`) and all below it, by dotted name; one that is reached twice is listed once. */
  namedModules(prefix = ""): [string, AnyModule][] {
    const seen = new Set<AnyModule>();
    return [...walk(this, prefix)].filter(([, module]) => !seen.has(module) && seen.add(module));
  }
  modules(): AnyModule[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** All parameters, or with `recurse: false` this module's own, by dotted name; one that is reached twice is listed once. */
  namedParameters(options: { readonly prefix?: string; readonly recurse?: boolean } = {}): [string, Parameter][] {
    return this.#tensors(Parameter, options);
  }
  /** What an optimizer takes. */
  parameters(options: { readonly recurse?: boolean } = {}): Parameter[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }
  /** As `namedParameters`, of the buffers. */
  namedBuffers(options: { readonly prefix?: string; readonly recurse?: boolean } = {}): [string, Buffer][] {
    return this.#tensors(Buffer, options);
  }
  buffers(options: { readonly recurse?: boolean } = {}): Buffer[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  #tensors<T extends Parameter | Buffer>(
    kind: abstract new (...args: never[]) => T,
    { prefix = "", recurse = true }: { readonly prefix?: string; readonly recurse?: boolean },
  ): [string, T][] {
    const found = new Map<T, string>();
    const modules: Iterable<[string, AnyModule]> = recurse ? walk(this, prefix) : [[prefix, this]];
    for (const [path, module] of modules) {
      for (const [name, member] of module.members()) {
        if (member instanceof kind && !found.has(member)) found.set(member, join(path, module.stateName(name)));
      }
    }
    return [...found].map(([tensor, name]) => [name, tensor]);
  }

  /** Parameters and persistent buffers by PyTorch's dotted names: detached tensors that share the module's memory. */
  stateDict(): StateDict {
    return Object.fromEntries([...this.#state()].map(([key, tensor]) => [key, tensor.detach()]));
  }

  /**
   * Copies saved values in, converting dtypes. Throws code "state" and changes nothing when a shape differs or, unless
   * `strict` is false, when a key is missing or unexpected; returns those keys.
   */
  loadStateDict(state: StateDict, options: { readonly strict?: boolean } = {}): LoadResult {
    return load(this.constructor.name, this.#state(), state, options);
  }

  /** Every tensor of the state by its key; a shared one under each of its names. */
  #state(): Map<string, Parameter | Buffer> {
    const found = new Map<string, Parameter | Buffer>();
    for (const [path, module] of walk(this, "")) {
      const own = module.members();
      for (const kind of [Parameter, Buffer]) {
        for (const [name, member] of own) {
          if (!(member instanceof kind) || (member instanceof Buffer && !member.persistent)) continue;
          found.set(join(path, module.stateName(name)), member);
        }
      }
    }
    return found;
  }

  /** Training mode for this module and all below it. */
  train(mode = true): this {
    for (const module of this.modules()) {
      if (module.training === mode) continue;
      module.training = mode;
      structureChanged();
    }
    return this;
  }
  /** Evaluation mode: dropout passes everything, batch norm uses its running statistics. */
  eval(): this {
    return this.train(false);
  }

  /** Calls `fn` with every module, those below first. */
  apply(fn: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Clears the gradients; with `setToNone: false` fills them with zeros instead, except sparse ones. */
  zeroGrad({ setToNone = true }: { readonly setToNone?: boolean } = {}): void {
    for (const parameter of this.parameters()) {
      const { grad } = parameter;
      if (setToNone || grad === null || grad instanceof SparseTensor) parameter.grad = null;
      else grad.detach().zero_();
    }
  }

  /** Whether the parameters learn. */
  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) setRequiresGrad(parameter, requiresGrad);
    return this;
  }

  /** Moves parameters and buffers to another backend, or the floating point ones to another dtype; they stay the same objects. */
  to(target: DType | Backend): this {
    for (const tensor of [...this.parameters(), ...this.buffers()]) {
      if (typeof target === "string" && !isFloat(tensor.dtype)) continue;
      const moved = (t: Tensor) => t.detach().to(target);
      const grad = tensor.grad && moved(tensor.grad);
      tensor.grad = null;
      rebind(tensor, moved(tensor));
      tensor.grad = grad;
    }
    return this;
  }

  /** Options as `toString` shows them. */
  protected extraRepr(): string {
    return "";
  }

  /** This module and all below it, as PyTorch prints them. */
  toString(): string {
    const lines = this.namedChildren().map(([name, child]) => indent(`\n(${name}): ${child}`));
    const extra = this.extraRepr();
    if (lines.length === 0) return `${this.constructor.name}(${extra})`;
    return `${this.constructor.name}(${extra && indent(`\n${extra}`)}${lines.join("")}\n)`;
  }
}

/** `module` and everything below it, once per way to reach it; a module inside itself is not followed. */
function* walk(module: AnyModule, path: string, within = new Set<AnyModule>()): Generator<[string, AnyModule]> {
  yield [path, module];
  within.add(module);
  for (const [name, child] of module.namedChildren()) {
    if (!within.has(child)) yield* walk(child, join(path, name), within);
  }
  within.delete(module);
}
