import {
  type Backend,
  DescentError,
  type DType,
  decode,
  type HostArray,
  isContiguous,
  type Shape,
  sizeOf,
} from "@descent/backend";
import type { Storage } from "./memory.ts";
import * as elementwise from "./ops/elementwise.ts";
import type { Dims, ReduceOptions } from "./ops/reduce.ts";
import * as reduce from "./ops/reduce.ts";
import * as view from "./ops/view.ts";
import type { Runtime } from "./runtime.ts";
import type { BackwardOptions, Tape } from "./tape.ts";

/** Nested arrays of numbers, as `tolist` gives and `tensor` takes them. */
export type Nested = number | boolean | readonly Nested[];

/** Typed arrays that reading a tensor gives: float16 and bfloat16 are widened, int64 comes as int32, bool as 0 and 1. */
export type TensorData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/**
 * An n-dimensional array on a backend: a storage seen through a layout. Views share their storage. Methods mirror torch.Tensor
 * in camelCase; those that end in an underscore change the tensor in place. Everything enqueues at once; only reading waits.
 */
export class Tensor {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly shape: readonly number[];
  /** Steps between neighbours along each axis, in elements. */
  readonly strides: readonly number[];
  /** First element within the storage. */
  readonly offset: number;
  /** Number of elements. */
  readonly size: number;
  /** The tape that records what happens to this tensor; null when it needs no gradient. */
  tape: Tape | null = null;
  /** What the tape knows of this tensor. */
  node: unknown = null;
  #grad: Tensor | null = null;

  constructor(runtime: Runtime, storage: Storage, shape: Shape, strides: readonly number[], offset: number) {
    this.runtime = runtime;
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.size = sizeOf(shape);
  }

  /** A tensor over `storage` on the same backend; how operations make their results. */
  make(storage: Storage, shape: Shape, strides: readonly number[], offset: number): Tensor {
    return new Tensor(this.runtime, storage, shape, strides, offset);
  }

  get dtype(): DType {
    return this.storage.dtype;
  }
  get backend(): Backend {
    return this.runtime.backend;
  }
  /** Number of axes (torch.Tensor.ndim). */
  get ndim(): number {
    return this.shape.length;
  }
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }
  /** Whether operations on this tensor are recorded for differentiation. */
  get requiresGrad(): boolean {
    return this.tape !== null;
  }

  /** The gradient that `backward()` accumulated; null before, and after it was cleared. */
  get grad(): Tensor | null {
    return this.#grad;
  }
  set grad(value: Tensor | null) {
    if (value !== null) {
      if (!(value instanceof Tensor))
        throw new DescentError("argument", "grad", "takes a tensor or null", { got: typeof value });
      if (value.shape.join() !== this.shape.join()) {
        throw new DescentError("shape", "grad", "the gradient has another shape than its tensor", {
          gradient: value.shape,
          tensor: this.shape,
        });
      }
      if (value.runtime !== this.runtime)
        throw new DescentError("device", "grad", "the gradient is on another backend", {
          gradient: value.backend.name,
          tensor: this.backend.name,
        });
    }
    const { memory } = this.runtime;
    if (value !== null) memory.hold(value.storage.block);
    if (this.#grad !== null) memory.unhold(this.#grad.storage.block);
    this.#grad = value;
  }

  /**
   * Accumulates into `.grad` of every leaf the gradient of this tensor, times `gradient` (default 1, for a tensor of one element).
   * Throws code "gradient" when nothing was recorded, or when the graph was freed by an earlier pass.
   */
  backward(gradient: Tensor | null = null, options: BackwardOptions = {}): void {
    if (this.tape === null) {
      throw new DescentError(
        "gradient",
        "backward",
        "this tensor depends on no variable",
        { shape: this.shape },
        "Make the inputs with variable(…) or nn.Parameter, outside noGrad.",
      );
    }
    this.tape.backward(this, gradient, options);
  }

  /** All elements in row-major order. */
  async data(): Promise<TensorData> {
    const source = this.isContiguous ? this : this.copy();
    const { storage, offset, size, runtime } = source;
    return widen(this.dtype, await runtime.backend.read(storage.buffer("data"), offset, size));
  }

  /** As `data`, at once; only on backends that can wait (cpu, wasm). */
  dataSync(): TensorData {
    const { backend } = this.runtime;
    if (!backend.readSync) {
      throw new DescentError(
        "unsupported",
        "dataSync",
        "this backend cannot wait for its results",
        { backend: backend.name },
        "Use await t.data() or await t.item().",
      );
    }
    const { storage, offset, size } = this.isContiguous ? this : this.copy();
    return widen(this.dtype, backend.readSync(storage.buffer("data"), offset, size));
  }

  /** The one element of a tensor of size 1, as a number; bool gives 0 or 1. */
  async item(): Promise<number> {
    this.#checkItem();
    return (await this.data())[0] as number;
  }
  itemSync(): number {
    this.#checkItem();
    return this.dataSync()[0] as number;
  }
  /** Nested arrays of numbers (booleans for dtype bool); a number for a tensor without axes. */
  async tolist(): Promise<Nested> {
    return nest(this, await this.data());
  }
  tolistSync(): Nested {
    return nest(this, this.dataSync());
  }

  #checkItem(): void {
    if (this.size !== 1) {
      throw new DescentError(
        "shape",
        "item",
        "takes a tensor of one element",
        { shape: this.shape },
        "Use data() or tolist() for more, or index first.",
      );
    }
  }

  /** The same elements without gradient history; shares memory. */
  detach(): Tensor {
    return this.make(this.storage, this.shape, this.strides, this.offset);
  }
  /** A tensor of ones of this shape and dtype. */
  onesLike(): Tensor {
    return elementwise.filled(this, 1);
  }

  /** A contiguous copy without gradient history. */
  copy(): Tensor {
    return elementwise.copyOf(this);
  }

  add(other: Tensor | number, options?: { alpha?: number }): Tensor {
    return elementwise.add(this, other, options);
  }
  sub(other: Tensor | number, options?: { alpha?: number }): Tensor {
    return elementwise.sub(this, other, options);
  }
  mul(other: Tensor | number): Tensor {
    return elementwise.mul(this, other);
  }
  div(other: Tensor | number): Tensor {
    return elementwise.div(this, other);
  }
  neg(): Tensor {
    return elementwise.neg(this);
  }
  exp(): Tensor {
    return elementwise.exp(this);
  }

  sum(dims: Dims = null, options?: ReduceOptions): Tensor {
    return reduce.sum(this, dims, options);
  }
  mean(dims: Dims = null, options?: ReduceOptions): Tensor {
    return reduce.mean(this, dims, options);
  }
  sumToSize(shape: Shape): Tensor {
    return reduce.sumToSize(this, shape);
  }
  reshape(shape: Shape): Tensor {
    return view.reshape(this, shape);
  }
}

function widen(dtype: DType, array: HostArray): TensorData {
  if (dtype !== "float16" && dtype !== "bfloat16") return array as TensorData;
  return Float32Array.from(array as Uint16Array, (bits) => decode(dtype, bits));
}

function nest(tensor: Tensor, data: TensorData): Nested {
  const { shape } = tensor;
  const read = tensor.dtype === "bool" ? (i: number) => data[i] === 1 : (i: number) => data[i] as number;
  let next = 0;
  const level = (axis: number): Nested =>
    axis === shape.length ? read(next++) : Array.from({ length: shape[axis] as number }, () => level(axis + 1));
  return level(0);
}
