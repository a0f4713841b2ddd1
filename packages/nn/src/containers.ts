import { DescentError, type Tensor } from "@descent/tensor";
import { AnyModule } from "./any-module.ts";
import { activationOf, fusible, isFusible } from "./fusion.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * One module after the other (torch.nn.Sequential). A linear layer or convolution and the activation that follows it run in one
 * launch, unless hooks want to see what is between them.
 *
 * @example
 * new Sequential(new Linear(784, 128), new ReLU(), new Linear(128, 10));
 * new Sequential({ hidden: new Linear(784, 128), act: new ReLU(), scores: new Linear(128, 10) }); // named
 */
export class Sequential extends Module {
  readonly #names: readonly string[];
  readonly #modules: readonly Module[];

  constructor(...modules: readonly Module[] | readonly [Readonly<Record<string, Module>>]) {
    super();
    const [first] = modules;
    const named = typeof first === "object" && !(first instanceof AnyModule);
    this.#names = named ? Object.keys(first) : modules.map((_, i) => String(i));
    this.#modules = named ? Object.values(first) : (modules as readonly Module[]);
    for (const [i, module] of this.#modules.entries()) checkModule("Sequential", this.#names[i] as string, module);
  }

  protected override members(): [string, AnyModule][] {
    return this.#modules.map((module, i) => [this.#names[i] as string, module]);
  }

  /** Number of modules. */
  get length(): number {
    return this.#modules.length;
  }
  /** Module `index`; negative ones count from the end. */
  at(index: number): Module | undefined {
    return this.#modules.at(index);
  }
  [Symbol.iterator](): Iterator<Module> {
    return this.#modules[Symbol.iterator]();
  }

  override forward(x: Tensor): Tensor {
    let value = x;
    for (let i = 0; i < this.#modules.length; i++) {
      const module = this.#modules[i] as Module;
      const next = this.#modules[i + 1];
      const follows = next && isPlain(module) && isPlain(next) ? activationOf(next) : null;
      if (follows !== null && isFusible(module)) {
        value = module[fusible](value, follows);
        i++;
      } else value = module.forward(value);
    }
    return value;
  }
}

const isPlain = (module: Module): boolean => !module.hasHooks;

function checkModule(container: string, name: string, module: unknown): void {
  if (module instanceof AnyModule) return;
  const got = typeof module === "function" ? `the class ${module.name}` : module === null ? "null" : typeof module;
  const hint = typeof module === "function" ? `Did you forget new, as in new ${module.name}()?` : "";
  throw new DescentError("argument", container, "takes modules", { [name]: got }, hint);
}

/** Refuses `forward`: a list does not say in which order its members act. */
function noForward(container: string): never {
  const hint = "Call the forward of its modules in the forward of your own.";
  throw new DescentError("argument", container, "has no forward", {}, hint);
}

/** Modules by number, for a module that calls them itself (torch.nn.ModuleList). */
export class ModuleList<M extends AnyModule = Module> extends AnyModule {
  readonly #modules: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    this.push(...modules);
  }
  protected override members(): [string, AnyModule][] {
    return this.#modules.map((module, i) => [String(i), module]);
  }

  get length(): number {
    return this.#modules.length;
  }
  /** Module `index`; negative ones count from the end. */
  at(index: number): M | undefined {
    return this.#modules.at(index);
  }
  push(...modules: readonly M[]): this {
    for (const [i, module] of modules.entries()) checkModule("ModuleList", String(this.length + i), module);
    this.#modules.push(...modules);
    return this;
  }
  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }
  override forward(): never {
    return noForward("ModuleList");
  }
}

/** Modules by name, for a module that calls them itself (torch.nn.ModuleDict). */
export class ModuleDict<M extends AnyModule = Module> extends AnyModule {
  readonly #modules = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }
  protected override members(): [string, AnyModule][] {
    return [...this.#modules];
  }

  get size(): number {
    return this.#modules.size;
  }
  get(name: string): M | undefined {
    return this.#modules.get(name);
  }
  set(name: string, module: M): this {
    checkModule("ModuleDict", name, module);
    if (name.includes(".") || name === "")
      throw new DescentError(
        "argument",
        "ModuleDict",
        "a name is empty or has a dot",
        { name },
        "Dots separate levels.",
      );
    this.#modules.set(name, module);
    return this;
  }
  has(name: string): boolean {
    return this.#modules.has(name);
  }
  delete(name: string): boolean {
    return this.#modules.delete(name);
  }
  entries(): IterableIterator<[string, M]> {
    return this.#modules.entries();
  }
  [Symbol.iterator](): Iterator<[string, M]> {
    return this.entries();
  }
  override forward(): never {
    return noForward("ModuleDict");
  }
}

/** Parameters by number (torch.nn.ParameterList). */
export class ParameterList extends AnyModule {
  readonly #parameters: readonly Parameter[];

  constructor(parameters: Iterable<Parameter> = []) {
    super();
    this.#parameters = [...parameters];
    this.#parameters.forEach((parameter, i) => {
      if (parameter instanceof Parameter) return;
      throw new DescentError(
        "argument",
        "ParameterList",
        "takes parameters",
        { [i]: typeof parameter },
        "new Parameter(…)",
      );
    });
  }
  protected override members(): [string, Parameter][] {
    return this.#parameters.map((parameter, i) => [String(i), parameter]);
  }
  get length(): number {
    return this.#parameters.length;
  }
  at(index: number): Parameter | undefined {
    return this.#parameters.at(index);
  }
  [Symbol.iterator](): Iterator<Parameter> {
    return this.#parameters[Symbol.iterator]();
  }
  override forward(): never {
    return noForward("ParameterList");
  }
}
