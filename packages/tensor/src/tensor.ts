import { type Backend, checkDType, contiguousStrides, DescentError, type DType, type Shape } from "@descent/backend";
import type { Storage } from "./memory.ts";
import { CreateMethods } from "./methods/create-methods.ts";
import { to } from "./ops/copy.ts";
import { printNow, printSoon } from "./print.ts";
import { runtimeOf } from "./runtime.ts";
import { tapeOf } from "./tape.ts";

export type { Nested, TensorData } from "./tensor-base.ts";

/**
 * An n-dimensional array on a backend: a storage seen through a layout. Views share their storage. Methods mirror torch.Tensor
 * in camelCase; those that end in an underscore change the tensor in place. Everything enqueues at once; only reading waits.
 */
export class Tensor extends CreateMethods {
  /** As PyTorch prints it. Backends that cannot wait for their results show everything but the elements: see `text`. */
  override toString(): string {
    return printNow(this);
  }
  /** As `toString`, with the elements on every backend. */
  text(): Promise<string> {
    return printSoon(this);
  }
  /** What `console.log` shows in Node, Deno and Bun. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  override make(storage: Storage, shape: Shape, strides: readonly number[], offset: number): Tensor {
    return new Tensor(this.runtime, storage, shape, strides, offset);
  }

  /**
   * This tensor in another dtype, or on another backend; itself where it is so already (torch.Tensor.to). Gradients pass a change of
   * dtype. A backend can be left only when it can wait for its results, and without gradients: throws code "unsupported" elsewhere.
   */
  to(target: DType | Backend): Tensor {
    if (typeof target === "string") return to(this, checkDType("to", target));
    if (typeof target?.compile !== "function")
      throw new DescentError("argument", "to", "takes a dtype or a backend", { got: typeof target });
    return target === this.backend ? this : this.#onto(target);
  }

  #onto(target: Backend): Tensor {
    const facts = { from: this.backend.name, to: target.name };
    const { readSync } = this.backend;
    if (!readSync) {
      const hint = "Make it there from its values: tensor(await t.tolist(), { dtype, backend }).";
      throw new DescentError("unsupported", "to", "this backend cannot wait for its results", facts, hint);
    }
    if (tapeOf([this]))
      throw new DescentError("unsupported", "to", "gradients do not cross backends", facts, "Use t.detach().to(…).");
    const { storage, offset } = this.isContiguous ? this : this.copy();
    const runtime = runtimeOf(target);
    const moved = runtime.memory.alloc(this.dtype, this.size, "to");
    if (this.size > 0)
      target.write(moved.buffer("to"), readSync.call(this.backend, storage.buffer("to"), offset, this.size));
    return new Tensor(runtime, moved, this.shape, contiguousStrides(this.shape), 0);
  }
}
