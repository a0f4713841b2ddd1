import { DescentError, type DType, isFloat, type Nested, Tensor, tensor } from "@descent/tensor";
import { type Edge, edgeOf, run, seedOf, tape, withRecording } from "./graph.ts";

/** Makes `value` a leaf of the graph: operations on it are recorded, and `backward()` fills its `.grad`. */
export function markLeaf<T extends Tensor>(value: T): T {
  if (!isFloat(value.dtype)) {
    throw new DescentError(
      "dtype",
      "variable",
      "only floating point tensors have gradients",
      { dtype: value.dtype },
      'Pass { dtype: "float32" }.',
    );
  }
  value.tape = tape;
  value.node = { producer: null, index: 0, tensor: value, hooks: [] } satisfies Edge;
  value.runtime.memory.hold(value.storage.block);
  return value;
}

/**
 * A tensor that gradients flow to (a PyTorch tensor with requires_grad). A given tensor is shared, not copied.
 *
 * @example
 * const w = variable([1, 2, 3]);
 * w.mul(w).sum().backward(); // w.grad is [2, 4, 6]
 */
export function variable(data: Nested | Float32Array | Float64Array | Tensor, options: { dtype?: DType } = {}): Tensor {
  const value = data instanceof Tensor ? data.detach() : tensor(data, options);
  return markLeaf(value);
}

/** Runs `fn` without recording anything (torch.no_grad); for an async `fn`, until its first await. */
export const noGrad = <T>(fn: () => T): T => withRecording(false, fn);

/** Runs `fn` with recording on, inside a `noGrad` (torch.enable_grad). */
export const enableGrad = <T>(fn: () => T): T => withRecording(true, fn);

export interface GradOptions {
  /** Gradients of the outputs; default 1 each, for outputs of one element. */
  readonly gradOutputs?: readonly (Tensor | null)[];
  readonly retainGraph?: boolean;
  readonly createGraph?: boolean;
  /** Give null for an input the outputs do not depend on, instead of throwing. Default: false. */
  readonly allowUnused?: boolean;
}

/** Gradients of `outputs` with respect to `inputs`; nothing is accumulated (torch.autograd.grad). */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const targets = (inputs instanceof Tensor ? [inputs] : inputs).map((input, i) => {
    const edge = edgeOf(input);
    if (!edge)
      throw new DescentError(
        "gradient",
        "grad",
        "an input needs no gradient",
        { input: i, shape: input.shape },
        "Make it with variable(…).",
      );
    return edge;
  });
  const seeds = roots.map((root, i) => {
    const edge = edgeOf(root);
    if (!edge)
      throw new DescentError("gradient", "grad", "an output depends on no variable", { output: i, shape: root.shape });
    return { edge, grad: seedOf(root, options.gradOutputs?.[i] ?? null) };
  });
  const found = run(seeds, targets, options);
  found.forEach((g, i) => {
    if (g === null && !options.allowUnused) {
      throw new DescentError(
        "gradient",
        "grad",
        "the outputs do not depend on an input",
        { input: i },
        "Pass { allowUnused: true } to get null for it.",
      );
    }
  });
  return found;
}
