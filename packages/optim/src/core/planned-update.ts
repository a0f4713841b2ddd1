import { type Arg, type Launch, type Prepared, prepareTraced, type Tensor, type Traced } from "@descent/tensor";

type Operand = Tensor | number;

/** Numbers for a launch, and what they were computed from. */
export interface Uniforms {
  readonly by: Prepared["uniforms"];
  readonly counters: readonly number[];
  readonly values: readonly number[];
}

const equal = (a: readonly number[], b: readonly number[]): boolean => {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/**
 * The launch of one parameter's update, planned and compiled once and run again as long as the memory it works on stays the same:
 * only the gradient's memory and the numbers change from step to step.
 */
export class PlannedUpdate {
  readonly spec: Traced;
  readonly #prepared: Prepared;
  /** Parameter, state buffers, and hyperparameters that are tensors; and the storages they had. */
  readonly #fixed: readonly Tensor[];
  readonly #storages: readonly Tensor["storage"][];
  /** Which argument of the launch is the gradient; −1: it was copied, and the plan serves only once. */
  readonly #slot: number;
  /** The gradient's strides, its storage when it was last used, and the arguments made of it. */
  readonly #strides: readonly number[];
  #gradient: Tensor["storage"];
  #offset: number;
  #args: readonly Arg[];

  /** `operands`: parameter, gradient, state buffers, then hyperparameters and counters. */
  constructor(spec: Traced, operands: readonly Operand[], buffers: number) {
    const [p, g] = operands as [Tensor, Tensor];
    const into = [0, ...Array.from({ length: buffers }, (_, k) => k + 2)];
    this.spec = spec;
    this.#prepared = prepareTraced(spec, operands, { into, shape: p.shape });
    this.#fixed = operands.filter((x, i): x is Tensor => i !== 1 && typeof x !== "number");
    this.#storages = this.#fixed.map((x) => x.storage);
    this.#args = this.#prepared.plan.args;
    this.#strides = g.strides;
    this.#gradient = g.storage;
    this.#offset = g.offset;
    this.#slot = this.#args.findIndex(({ buffer, offset }) => buffer === g.storage.block.buffer && offset === g.offset);
  }

  /** Whether the plan serves an update by `g` with this program and these tensors. */
  fits(spec: Traced, g: Tensor, fixed: readonly Tensor[]): boolean {
    if (this.#slot < 0 || spec !== this.spec || fixed.length !== this.#fixed.length) return false;
    const { storage } = g;
    for (let i = 0; i < fixed.length; i++) {
      const own = this.#storages[i];
      if (fixed[i] !== this.#fixed[i] || (fixed[i] as Tensor).storage !== own || own === storage) return false;
    }
    return equal(g.strides, this.#strides);
  }

  /** Numbers for a launch from hyperparameters and counters; `known` are shared when they were computed from the same. */
  uniforms(hypers: readonly Operand[], counters: readonly number[], known: Uniforms | null): Uniforms {
    const { plan, uniforms: by } = this.#prepared;
    if (known !== null && known.by === by && equal(known.counters, counters)) return known;
    const numbers = [plan.hyper[0] as number];
    for (const x of hypers) if (typeof x === "number") numbers.push(x);
    for (const x of counters) numbers.push(x);
    return { by, counters, values: by(numbers) };
  }

  /** The launch that updates by `g`. Throws when memory it needs was given back. */
  launch(g: Tensor, uniforms: readonly number[]): Launch {
    const { name } = this.spec;
    for (const storage of this.#storages) storage.buffer(name);
    const buffer = g.storage.buffer(name);
    if (g.storage !== this.#gradient || g.offset !== this.#offset) {
      const args = [...this.#args];
      args[this.#slot] = { buffer, offset: g.offset, strides: (args[this.#slot] as Arg).strides };
      this.#args = args;
      this.#gradient = g.storage;
      this.#offset = g.offset;
    }
    const { plan, kernel } = this.#prepared;
    return { kernel, args: this.#args, shape: plan.shape, uniforms, label: name };
  }
}
