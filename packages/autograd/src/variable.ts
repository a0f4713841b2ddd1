import { checkOptions, DescentError, type DType, isFloat, type Nested, Tensor, tensor } from "@descent/tensor";
import { type Edge, tape } from "./graph.ts";
import { withRecording } from "./recording.ts";

/** Makes `value` a leaf of the graph: operations on it are recorded, and `backward()` fills its `.grad`. */
export function markLeaf<T extends Tensor>(value: T): T {
  if (!isFloat(value.dtype)) {
    const hint = 'Pass { dtype: "float32" }.';
    throw new DescentError(
      "dtype",
      "variable",
      "only floating point tensors have gradients",
      { dtype: value.dtype },
      hint,
    );
  }
  value.tape = tape;
  value.node = { producer: null, index: 0, tensor: value, hooks: new Set() } satisfies Edge;
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
  checkOptions("variable", options, ["dtype"]);
  return markLeaf(data instanceof Tensor ? data.detach() : tensor(data, options));
}

/** Runs `fn` without recording anything (torch.no_grad). An async `fn` counts until its promise settles, and so does what else runs meanwhile. */
export const noGrad = <T>(fn: () => T): T => withRecording(false, fn);

/** Runs `fn` with recording on, inside a `noGrad` (torch.enable_grad). For an async `fn`, see there. */
export const enableGrad = <T>(fn: () => T): T => withRecording(true, fn);
