import { contiguousStrides, DescentError, type Shape, sizeOf } from "@descent/backend";
import { type Block, Storage } from "./memory.ts";
import { mul } from "./ops/arithmetic.ts";
import { copyOf } from "./ops/copy.ts";
import { fromHostLike, indicesLike, zerosOf } from "./ops/fresh.ts";
import { gatherOf, indexAlong, scatterInto } from "./ops/indexed.ts";
import { cat } from "./ops/join.ts";
import { showShape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

const dense = (operation: string): DescentError =>
  new DescentError("unsupported", operation, "takes no sparse tensors", {}, "Use x.toDense().");

/** Refuses to be read as if it held all elements. */
class SparseStorage extends Storage {
  override buffer(operation: string): never {
    throw dense(operation);
  }
}

/** Steps of the leading `count` axes of `shape`, counted in whole entries. */
const entryStrides = (shape: Shape, count: number): number[] => contiguousStrides(shape.slice(0, count));

/**
 * A tensor that is zero except at listed places (torch.sparse_coo_tensor): entry k is `values[k]`, at `indices[:, k]` along the
 * leading axes. Places may repeat, and then add up, unless it is coalesced. Gradients of large tables come in this form.
 */
export class SparseTensor extends Tensor {
  /** Shape [leading axes, entries], dtype int64. */
  readonly indices: Tensor;
  /** Shape [entries, ...trailing axes]. */
  readonly values: Tensor;
  /** Whether every place occurs once, in ascending order. */
  readonly isCoalesced: boolean;
  #rows: Tensor | null = null;

  constructor(indices: Tensor, values: Tensor, shape: Shape, isCoalesced = false) {
    const [axes = 0, entries = 0] = indices.shape;
    const expected = [entries, ...shape.slice(axes)];
    if (indices.ndim !== 2 || axes === 0 || axes > shape.length || values.shape.join() !== expected.join()) {
      const facts = { indices: showShape(indices.shape), values: showShape(values.shape), shape: showShape(shape) };
      const hint = "indices is [axes, entries], values is [entries, ...the other axes].";
      throw new DescentError("shape", "SparseTensor", "indices, values and shape do not go together", facts, hint);
    }
    const { memory } = values.runtime;
    super(values.runtime, new SparseStorage(memory, values.storage.block), shape, contiguousStrides(shape), 0);
    this.indices = indices;
    this.values = values;
    this.isCoalesced = isCoalesced;
  }

  override get blocks(): readonly Block[] {
    return [this.indices.storage.block, this.values.storage.block];
  }
  /** Number of entries. */
  get nnz(): number {
    return this.indices.shape[1] as number;
  }
  /** Number of axes that are listed. */
  get sparseDims(): number {
    return this.indices.shape[0] as number;
  }
  override make(): never {
    throw dense("this operation");
  }
  override detach(): SparseTensor {
    return new SparseTensor(this.indices, this.values.detach(), this.shape, this.isCoalesced);
  }
  override copy(): SparseTensor {
    return new SparseTensor(copyOf(this.indices), copyOf(this.values), this.shape, this.isCoalesced);
  }

  override toString(): string {
    const part = (x: Tensor, indent: number) => x.toString().replaceAll("\n", `\n${" ".repeat(indent)}`);
    const lines = [`indices=${part(this.indices, 15)}`, `values=${part(this.values, 14)}`];
    const size = `size=(${this.shape.join(", ")}${this.ndim === 1 ? "," : ""})`;
    return `tensor(${[...lines, `${size}, nnz=${this.nnz}, layout=torch.sparse_coo`].join(",\n       ")})`;
  }

  /** The place of each entry among all, counting the listed axes in row-major order. */
  rows(): Tensor {
    if (this.sparseDims === 1) return this.indices.reshape([this.nnz]);
    if (this.#rows === null) {
      const strides = indicesLike(this.values, entryStrides(this.shape, this.sparseDims), "sparse");
      this.#rows = mul(this.indices, strides.reshape([this.sparseDims, 1])).sum(0);
    }
    return this.#rows;
  }

  /** The same tensor with every place once, in order. Reads the places: on backends that cannot wait use `await x.coalesced()`. */
  coalesce(): SparseTensor {
    return this.isCoalesced ? this : this.#merge(this.indices.dataSync());
  }
  /** As `coalesce`, on every backend. */
  async coalesced(): Promise<SparseTensor> {
    return this.isCoalesced ? this : this.#merge(await this.indices.data());
  }

  #merge(places: ArrayLike<number>): SparseTensor {
    const { nnz, sparseDims, shape, values } = this;
    const strides = entryStrides(shape, sparseDims);
    const keys = Array.from({ length: nnz }, (_, k) =>
      strides.reduce((sum, stride, d) => sum + stride * (places[d * nnz + k] as number), 0),
    );
    const sorted = [...new Set(keys)].sort((a, b) => a - b);
    const slots = new Map(sorted.map((key, slot) => [key, slot]));
    const target = zerosOf(values, [sorted.length, ...shape.slice(sparseDims)]);
    const slot = indicesLike(
      values,
      keys.map((key) => slots.get(key) as number),
      "coalesce",
    );
    if (nnz > 0) scatterInto("coalesce", "sum", target, 0, indexAlong("coalesce", slot, target.shape, 0), values);
    const kept = strides.flatMap((stride, d) => sorted.map((key) => Math.floor(key / stride) % (shape[d] as number)));
    const indices = fromHostLike(values, Int32Array.from(kept), [sparseDims, sorted.length], "int64", "coalesce");
    return new SparseTensor(indices, target, shape, true);
  }

  /** All elements. */
  toDense(): Tensor {
    return this.addTo(zerosOf(this.values, this.shape));
  }

  /** Adds the entries, times `factor`, to `target` in place, and returns it; the cost is that of the entries. */
  addTo(target: Tensor, factor = 1): Tensor {
    return scatterRows(target, this, factor === 1 ? this.values : mul(this.values, factor), "sum");
  }

  /** This times a number. */
  scaled(factor: number): SparseTensor {
    return new SparseTensor(this.indices, mul(this.values, factor), this.shape, this.isCoalesced);
  }

  /** The sum with another sparse tensor of the same shape (the lists one after the other), or with a dense one (then dense). */
  plus(other: Tensor): Tensor {
    if (!(other instanceof SparseTensor)) return this.addTo(copyOf(other));
    const indices = cat([this.indices, other.indices], 1);
    return new SparseTensor(indices, cat([this.values, other.values], 0), this.shape);
  }
}

/** The sum of two gradients, either of which may be sparse. */
export function sumOfGradients(a: Tensor, b: Tensor): Tensor {
  if (a instanceof SparseTensor) return a.plus(b);
  return b instanceof SparseTensor ? b.plus(a) : a.add(b);
}

/** `x` with its leading `count` axes as one. */
function asRows(x: Tensor, count: number): Tensor {
  const [strides, shape] = [x.strides, x.shape];
  for (let axis = 0; axis < count - 1; axis++) {
    if (shape[axis] === 1 || strides[axis] === (strides[axis + 1] as number) * (shape[axis + 1] as number)) continue;
    const facts = { shape: showShape(shape), strides: showShape(strides) };
    throw new DescentError("unsupported", "sparse", "the listed axes are not contiguous", facts, "Use contiguous().");
  }
  const rows = [sizeOf(shape.slice(0, count)), ...shape.slice(count)];
  return x.make(x.storage, rows, strides.slice(count - 1), x.offset);
}

const along = (rows: Tensor, sparse: SparseTensor): Tensor => indexAlong("sparse", sparse.rows(), rows.shape, 0);

/** The entries of `x` at the places of `sparse`. Records nothing. */
export function gatherRows(x: Tensor, sparse: SparseTensor): Tensor {
  const rows = asRows(x, sparse.sparseDims);
  return gatherOf("sparse", rows, 0, along(rows, sparse));
}

/** Sets, or adds to, the entries of `target` at the places of `sparse`. Records nothing. */
export function scatterRows(target: Tensor, sparse: SparseTensor, values: Tensor, mode: "set" | "sum" = "set"): Tensor {
  if (sparse.nnz > 0) {
    const rows = asRows(target, sparse.sparseDims);
    scatterInto("sparse", mode, rows, 0, along(rows, sparse), values);
    target.storage.version++;
  }
  return target;
}
