import { type Arg, type Launch, type Prepared, prepareTraced, type Tensor, type Traced } from "@descent/tensor";

type Operand = Tensor | number;

/** Uniforms of one group in one step, by what computes them: parameters with equal counters share them. */
export type UniformMemo = Map<Prepared["uniforms"], { readonly numbers: readonly number[]; readonly values: number[] }>;

const equal = (a: readonly number[], b: readonly number[]): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
};

const same = (a: Tensor, b: Tensor): boolean =>
  a === b || (a.storage === b.storage && a.offset === b.offset && equal(a.strides, b.strides));

/** Where the gradient stands among the operands: it alone changes its memory from step to step. */
const gradient = 1;

/**
 * The launch of one parameter's update, planned and compiled once and run again as long as the memory it works on stays the same.
 * Operands are the parameter, its gradient, its state and numbers; all but numbers and gradient are fixed.
 */
export class PlannedUpdate {
  readonly #prepared: Prepared;
  readonly #spec: Traced;
  readonly #operands: readonly Operand[];
  /** Which argument of the launch is the gradient; −1: it was copied, and the plan serves only once. */
  readonly #slot: number;

  constructor(spec: Traced, operands: readonly Operand[], into: readonly (number | null)[]) {
    this.#spec = spec;
    this.#operands = operands;
    this.#prepared = prepareTraced(spec, operands, { into, shape: (operands[0] as Tensor).shape });
    const g = operands[gradient] as Tensor;
    const { args } = this.#prepared.plan;
    this.#slot = args.findIndex(({ buffer, offset }) => buffer === g.storage.block.buffer && offset === g.offset);
  }

  /** Whether `operands` differ from the planned ones in numbers and in the gradient's memory only. */
  fits(spec: Traced, operands: readonly Operand[]): boolean {
    if (this.#slot < 0 || spec !== this.#spec || operands.length !== this.#operands.length) return false;
    const g = operands[gradient] as Tensor;
    for (let i = 0; i < operands.length; i++) {
      const now = operands[i] as Operand;
      const then = this.#operands[i] as Operand;
      if (typeof now === "number") {
        if (typeof then !== "number") return false;
      } else if (typeof then === "number") return false;
      else if (i === gradient) {
        if (now.dtype !== then.dtype || !equal(now.strides, then.strides)) return false;
      } else if (!same(now, then) || now.storage === g.storage) return false;
    }
    return true;
  }

  /** The launch for these operands, which fit. */
  launch(operands: readonly Operand[], memo: UniformMemo): Launch {
    const { plan, kernel, uniforms } = this.#prepared;
    const { name } = this.#spec;
    for (const x of operands) if (typeof x !== "number") x.storage.buffer(name); // throws when it was given back
    const g = operands[gradient] as Tensor;
    const args = this.#slot < 0 ? plan.args : [...plan.args];
    if (this.#slot >= 0) {
      const planned = plan.args[this.#slot] as Arg;
      (args as Arg[])[this.#slot] = { buffer: g.storage.block.buffer, offset: g.offset, strides: planned.strides };
    }
    const numbers = [plan.hyper[0] as number];
    for (const x of operands) if (typeof x === "number") numbers.push(x);
    let found = memo.get(uniforms);
    if (!found || !equal(found.numbers, numbers)) {
      found = { numbers, values: uniforms(numbers) };
      memo.set(uniforms, found);
    }
    return { kernel, args, shape: plan.shape, uniforms: found.values, label: name };
  }
}
