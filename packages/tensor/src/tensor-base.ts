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
import type { Block, Storage } from "./memory.ts";
import { copyOf, filled } from "./ops/elementwise.ts";
import type { Runtime } from "./runtime.ts";
import type { BackwardOptions, Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";
import { watcher } from "./watch.ts";

/** Nested arrays of numbers, as `tolist` gives and `tensor` takes them. */
export type Nested = number | boolean | readonly Nested[];

/** Typed arrays that reading a tensor gives: float16 and bfloat16 are widened, int64 comes as int32, bool as 0 and 1. */
export type TensorData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** What a tensor is, and how it is read; the families of methods build on it, one class each, up to `Tensor`. */
export abstract class TensorBase {
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
  abstract make(storage: Storage, shape: Shape, strides: readonly number[], offset: number): Tensor;

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
  /** The memory this tensor lives in. */
  get blocks(): readonly Block[] {
    return [this.storage.block];
  }
  /** Whether operations on this tensor are recorded for differentiation. */
  get requiresGrad(): boolean {
    return this.tape !== null;
  }

  /** The gradient that `backward()` accumulated; null before, and after it was cleared. */
  get grad(): Tensor | null {
    watcher?.gradRead(this as unknown as Tensor, this.#grad);
    return this.#grad;
  }
  set grad(value: Tensor | null) {
    if (value !== null) {
      if (!(value instanceof TensorBase))
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
    for (const block of value?.blocks ?? []) memory.hold(block);
    for (const block of this.#grad?.blocks ?? []) memory.unhold(block);
    this.#grad = value;
    watcher?.gradSet(this as unknown as Tensor, value);
  }

  /**
   * Accumulates into `.grad` of every leaf the gradient of this tensor, times `gradient` (default 1, for a tensor of one element).
   * Throws code "gradient" when nothing was recorded, or when the graph was freed by an earlier pass.
   */
  backward(this: Tensor, gradient: Tensor | null = null, options: BackwardOptions = {}): void {
    this.#differentiable("backward").backward(this, gradient, options);
  }

  /** Whether this tensor was not made by a recorded operation. */
  get isLeaf(): boolean {
    return this.tape === null || this.tape.origin(this as unknown as Tensor) === null;
  }
  /** Calls `hook` with this tensor's complete gradient in every backward pass; what it returns, if anything, takes its place. */
  registerHook(this: Tensor, hook: (grad: Tensor) => Tensor | undefined | null): { remove(): void } {
    return this.#differentiable("registerHook").registerHook(this, hook);
  }
  /** Makes backward passes fill `.grad` of this tensor too, although it is no leaf. */
  retainGrad(this: Tensor): void {
    this.#differentiable("retainGrad").retainGrad(this);
  }

  #differentiable(operation: string): Tape {
    if (this.tape !== null) return this.tape;
    const hint = "Make the inputs with variable(…) or nn.Parameter, outside noGrad.";
    throw new DescentError("gradient", operation, "this tensor depends on no variable", { shape: this.shape }, hint);
  }

  /** All elements in row-major order. */
  async data(): Promise<TensorData> {
    watcher?.reads("data");
    const source = this.isContiguous ? this : this.copy();
    const { storage, offset, size, runtime } = source;
    return widen(this.dtype, await runtime.backend.read(storage.buffer("data"), offset, size));
  }

  /** As `data`, at once; only on backends that can wait (cpu, wasm). */
  dataSync(): TensorData {
    watcher?.reads("dataSync");
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
    return nest(this.shape, this.dtype, await this.data());
  }
  tolistSync(): Nested {
    return nest(this.shape, this.dtype, this.dataSync());
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
    return filled(this as unknown as Tensor, 1);
  }

  /** A contiguous copy without gradient history. */
  copy(): Tensor {
    return copyOf(this as unknown as Tensor);
  }
}

function widen(dtype: DType, array: HostArray): TensorData {
  if (dtype !== "float16" && dtype !== "bfloat16") return array as TensorData;
  return Float32Array.from(array as Uint16Array, (bits) => decode(dtype, bits));
}

function nest(shape: Shape, dtype: DType, data: TensorData): Nested {
  const read = dtype === "bool" ? (i: number) => data[i] === 1 : (i: number) => data[i] as number;
  let next = 0;
  const level = (axis: number): Nested =>
    axis === shape.length ? read(next++) : Array.from({ length: shape[axis] as number }, () => level(axis + 1));
  return level(0);
}
