import { DescentError, SparseTensor, type Tensor } from "@descent/tensor";
import { overwrite } from "../core/overwrite.ts";
import { type Params, readParams } from "../core/param-groups.ts";
import { summedValues } from "./summed-values.ts";

/** One gradient, and what a message calls it. */
export interface Gradient {
  readonly name: string;
  /** What is measured and scaled: the gradient itself, or the values of a sparse one. Never recorded. */
  readonly data: Tensor;
}

/** The gradients there are, and a parameter that says where they live. */
export interface Gradients {
  readonly gradients: readonly Gradient[];
  readonly like: Tensor;
}

/** What clipping takes: parameters, with names (`model.namedParameters()`) or without, or one parameter. */
export type Clipped = Tensor | Params;

/** The gradients of `params`, each parameter once; a parameter without a gradient is left out. */
export function gradientsOf(operation: string, given: Clipped): Gradients {
  const { params, names } = readParams(operation, { params: given });
  const [like] = params;
  if (!like) {
    const hint = "A generator can be read only once: pass a fresh one.";
    throw new DescentError("argument", operation, "there are no parameters", {}, hint);
  }
  const found = new Map<Tensor, Gradient>();
  for (const [i, p] of params.entries()) {
    if (p.grad === null || found.has(p)) continue;
    found.set(p, { name: names?.[i] ?? `parameter ${i}`, data: writable(p, p.grad) });
  }
  return { gradients: [...found.values()], like };
}

/** What of a gradient can be changed in place. */
export function writable(p: Tensor, grad: Tensor): Tensor {
  if (grad instanceof SparseTensor) {
    // The entries of one place add up first, so that they count as what they stand for.
    const values = grad.values.detach();
    if (!grad.isCoalesced) overwrite(values, summedValues(grad));
    return values;
  }
  const shared = grad.strides.some((stride, axis) => stride === 0 && (grad.shape[axis] as number) > 1);
  // Several of its elements share one place in memory: each needs its own.
  if (shared) p.grad = grad.copy();
  return (p.grad as Tensor).detach();
}
