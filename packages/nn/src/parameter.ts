import { markLeaf } from "@descent/autograd";
import { DescentError, type Nested, structureChanged, Tensor, tensor } from "@descent/tensor";

type Data = Tensor | Nested | Float32Array | Float64Array;

const asTensor = (data: Data): Tensor => (data instanceof Tensor ? data : tensor(data));

/**
 * A tensor that a module learns: an assigned property of this class is found by `parameters()` and saved by `stateDict()`.
 * What operations compute from one is a plain tensor. A given tensor is shared, not copied.
 *
 * @example
 * class Scale extends Module {
 *   readonly factor = new Parameter([1]);
 *   override forward(x: Tensor) { return x.mul(this.factor); }
 * }
 */
export class Parameter extends Tensor {
  constructor(data: Data, { requiresGrad = true }: { readonly requiresGrad?: boolean } = {}) {
    const { runtime, storage, shape, strides, offset } = asTensor(data);
    super(runtime, storage, shape, strides, offset);
    if (requiresGrad) markLeaf(this);
    else runtime.memory.hold(storage.block);
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

/** A tensor that belongs to a module's state without being learned, such as a running mean (torch.nn.Buffer). */
export class Buffer extends Tensor {
  /** Whether `stateDict()` saves it. */
  readonly persistent: boolean;

  constructor(data: Data, { persistent = true }: { readonly persistent?: boolean } = {}) {
    const { runtime, storage, shape, strides, offset } = asTensor(data);
    super(runtime, storage, shape, strides, offset);
    this.persistent = persistent;
    runtime.memory.hold(storage.block);
  }
}

/** Starts or stops the recording of what happens to a leaf. */
export function setRequiresGrad(leaf: Tensor, requiresGrad: boolean): void {
  if (leaf.requiresGrad === requiresGrad) return;
  structureChanged();
  if (requiresGrad) {
    markLeaf(leaf);
    leaf.runtime.memory.unhold(leaf.storage.block); // it was held already
  } else {
    leaf.tape = null;
    leaf.node = null;
  }
}

/** Makes `target` a tensor over the memory of `source`: it keeps its identity, so an optimizer goes on with it. */
export function rebind(target: Tensor, source: Tensor): void {
  if (source.storage === target.storage) return;
  structureChanged();
  if (source.shape.join() !== target.shape.join())
    throw new DescentError("internal", "rebind", "shapes differ", { target: target.shape, source: source.shape });
  source.runtime.memory.hold(source.storage.block);
  target.runtime.memory.unhold(target.storage.block);
  const { runtime, storage, strides, offset } = source;
  Object.assign(target, { runtime, storage, strides, offset });
}
