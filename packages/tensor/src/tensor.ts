import type { Shape } from "@descent/backend";
import type { Storage } from "./memory.ts";
import { LinearMethods } from "./methods/linear-methods.ts";

export type { Nested, TensorData } from "./tensor-base.ts";

/**
 * An n-dimensional array on a backend: a storage seen through a layout. Views share their storage. Methods mirror torch.Tensor
 * in camelCase; those that end in an underscore change the tensor in place. Everything enqueues at once; only reading waits.
 */
export class Tensor extends LinearMethods {
  override make(storage: Storage, shape: Shape, strides: readonly number[], offset: number): Tensor {
    return new Tensor(this.runtime, storage, shape, strides, offset);
  }
}
