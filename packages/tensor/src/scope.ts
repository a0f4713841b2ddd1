import { type Backend, DescentError } from "@descent/backend";
import type { Block, Memory, MemoryReport } from "./memory.ts";
import { Pace } from "./pace.ts";
import { currentRuntime, runtimeOf } from "./runtime.ts";
import { Tensor } from "./tensor.ts";

/** A stretch of the program whose temporaries are given back together. */
export class Scope implements Disposable {
  readonly name: string;
  readonly parent: Scope | null;
  readonly memory: Memory;
  readonly blocks: Set<Block> = new Set();

  constructor(memory: Memory, name: string) {
    this.memory = memory;
    this.name = name;
    this.parent = memory.scope;
    memory.scope = this;
  }

  /** Ends the scope, and those inside it that are still open: frees what was made in it and not kept. */
  dispose(): void {
    let open = this.memory.scope;
    while (open && open !== this) open = open.parent;
    if (!open) return; // ended already
    for (let inner = this.memory.scope; inner && inner !== this.parent; inner = inner.parent) inner.#end();
    this.memory.scope = this.parent;
  }

  #end(): void {
    for (const block of this.blocks) this.memory.release(block, `the end of scope "${this.name}"`);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The tensors in what a function gave back: a tensor, or arrays and plain objects of them. */
export function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  const plain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return plain ? Object.values(value).flatMap(tensorsIn) : [];
}

/** What is returned leaves the scope for the one around it. */
function leave<T>(opened: Scope, value: T): T {
  for (const t of tensorsIn(value))
    for (const block of t.blocks) if (block.home) opened.memory.adopt(block, opened.parent);
  return value;
}

/**
 * Opens a scope on the backend in use: what is computed in it is given back when it ends, except what is kept with `keep`, held by
 * a parameter or an optimizer, or returned. `using s = scope()` ends with its block; `scope(fn)` with the function, asynchronous or not.
 *
 * @example
 * const accuracy = scope(() => model.forward(x).argmax(1).eq(y).to("float32").mean());
 */
export function scope(name?: string): Scope;
export function scope<T>(fn: () => T, name?: string): T;
export function scope(first?: string | (() => unknown), name = "scope"): unknown {
  const { memory } = currentRuntime("scope");
  return typeof first === "function" ? scopeOn(memory, name, first as () => unknown) : new Scope(memory, first ?? name);
}

/** As `scope(fn, name)`, on the backend that `memory` belongs to. */
export function scopeOn<T>(memory: Memory, name: string, fn: () => T): T {
  const opened = new Scope(memory, name);
  let pending = false;
  try {
    const value = fn();
    if (!(value instanceof Promise)) return leave(opened, value);
    pending = true;
    return value.then((settled) => leave(opened, settled)).finally(() => opened.dispose()) as T;
  } finally {
    if (!pending) opened.dispose();
  }
}

/** Keeps tensors whatever scope or loop they were made in, until `unkeep` or `dispose`. Returns the first one. */
export function keep<T extends Tensor>(first: T, ...more: Tensor[]): T {
  for (const t of [first, ...more]) {
    for (const block of t.blocks) {
      t.storage.buffer("keep"); // refuses what is gone already
      t.runtime.memory.hold(block);
    }
  }
  return first;
}

/** Takes one `keep` back: the tensor is then as any that was made now. */
export function unkeep<T extends Tensor>(t: T): T {
  for (const block of t.blocks) if (block.holds > 0) t.runtime.memory.unhold(block);
  return t;
}

/** Gives the memory of tensors back now, kept or not; views of them go too. */
export function dispose(...tensors: readonly Tensor[]): void {
  for (const t of tensors) for (const block of t.blocks) t.runtime.memory.release(block, "dispose");
}

/** What is live on a backend (default: the one in use), by the operation that made it. */
export const memory = (backend?: Backend): MemoryReport =>
  (backend ? runtimeOf(backend) : currentRuntime("memory")).memory.report();

/** The numbers 0 to n − 1, each an iteration with its own temporaries. */
class Steps implements Iterable<number>, AsyncIterable<number> {
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  *[Symbol.iterator](): Generator<number> {
    const { memory } = currentRuntime("steps");
    memory.enterLoop();
    try {
      for (let i = 0; i < this.#count; i++) {
        yield i;
        memory.endIteration();
      }
    } finally {
      memory.leaveLoop();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    const pace = new Pace(currentRuntime("steps"));
    for (const i of this) {
      yield i;
      await pace.next();
    }
  }
}

/**
 * Iterates over 0 … n − 1 and gives back, at the end of every iteration, what an earlier one computed and this one did not use. Kept
 * are parameters, their gradients, optimizer state, and what `keep` names. With `for await` the loop also keeps in step with
 * asynchronous backends: no more than two iterations are under way.
 *
 * @example
 * for (const step of steps(1000)) {
 *   optimizer.zeroGrad();
 *   loss(model, data).backward();
 *   optimizer.step();
 * }
 */
export function steps(n: number): Iterable<number> & AsyncIterable<number> {
  if (n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 0)) return new Steps(n);
  throw new DescentError("argument", "steps", "n is no count", { n }, "It is an integer of at least 0.");
}
