import { type Backend, DescentError, Tensor, tensor } from "@descent/tensor";
import { checkSeed, streamOf } from "./random.ts";

/** Samples by number. Any object with these members is one; a `get` that gives a promise is for `for await` loops. */
export interface Dataset<Sample> {
  /** Number of samples. */
  readonly length: number;
  /** Sample `index`, from 0 to length − 1. */
  get(index: number): Sample;
  /** Several samples as one batch, where that is faster than collating them one by one. */
  batch?(indices: ArrayLike<number>): Sample;
  /** Where its tensors live. Default: the backend in `use` when a loader starts. */
  readonly backend?: Backend;
}

/**
 * Named tensors whose first axis counts the samples. A batch is assembled on the backend: one launch per tensor.
 *
 * @example
 * const digits = new TensorDataset({ x: images, y: labels }); // [60000, 784] and [60000]
 * for (const { x, y } of new DataLoader(digits, { batchSize: 128, shuffle: true })) … // [128, 784] and [128]
 */
export class TensorDataset<Name extends string> implements Dataset<Record<Name, Tensor>> {
  readonly tensors: Readonly<Record<Name, Tensor>>;
  readonly length: number;

  /** Throws code "shape" unless all tensors have one axis at least, and as many samples as each other. */
  constructor(tensors: Readonly<Record<Name, Tensor>>) {
    const entries = Object.entries<Tensor>(tensors);
    for (const [name, t] of entries) {
      if (t instanceof Tensor) continue;
      const facts = { name, got: Array.isArray(t) ? "an array" : typeof t };
      throw new DescentError("argument", "TensorDataset", "takes tensors by name", facts, "Make one with tensor(…).");
    }
    const lengths = new Set(entries.map(([, t]) => t.shape[0]));
    if (lengths.size !== 1 || lengths.has(undefined)) {
      const facts = Object.fromEntries(entries.map(([name, { shape }]) => [name, shape]));
      const hint = "The first axis of every tensor counts the samples.";
      throw new DescentError("shape", "TensorDataset", "the tensors differ in their number of samples", facts, hint);
    }
    this.tensors = tensors;
    this.length = [...lengths][0] as number;
    // A loop over something else must not give the data back.
    for (const [, t] of entries) t.runtime.memory.hold(t.storage.block);
  }

  get backend(): Backend {
    return (Object.values(this.tensors)[0] as Tensor).backend;
  }

  /** One sample: a view of every tensor, without the first axis. */
  get(index: number): Record<Name, Tensor> {
    checkIndex("TensorDataset.get", index, this.length);
    return this.#map((t) => t.select(0, index));
  }

  batch(indices: ArrayLike<number>): Record<Name, Tensor> {
    const list = Int32Array.from(indices);
    for (const index of list) checkIndex("TensorDataset.batch", index, this.length);
    const at = tensor(list, { dtype: "int64", backend: this.backend });
    return this.#map((t) => t.indexSelect(0, at));
  }

  #map(f: (t: Tensor) => Tensor): Record<Name, Tensor> {
    const entries = Object.entries<Tensor>(this.tensors).map(([name, t]) => [name, f(t)]);
    return Object.fromEntries(entries) as Record<Name, Tensor>;
  }
}

function checkIndex(operation: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new DescentError("argument", operation, "no such sample", { index, samples: length });
}

/** Throws unless `dataset` is one. */
export function checkDataset(operation: string, dataset: Dataset<unknown>): void {
  const { length, get } = (dataset ?? {}) as Partial<Dataset<unknown>>;
  if (Number.isSafeInteger(length) && (length as number) >= 0 && typeof get === "function") return;
  const got = dataset === null ? "null" : Array.isArray(dataset) ? "an array" : typeof dataset;
  const hint = "It has a length and a get(index); of an array a: { length: a.length, get: (i) => a[i] }.";
  throw new DescentError("argument", operation, "takes a dataset", { got }, hint);
}

/** Some samples of another dataset, in the order of `indices` (torch.utils.data.Subset). */
export class Subset<Sample> implements Dataset<Sample> {
  readonly dataset: Dataset<Sample>;
  readonly indices: ArrayLike<number>;
  readonly batch?: (indices: ArrayLike<number>) => Sample;
  readonly backend?: Backend;

  constructor(dataset: Dataset<Sample>, indices: ArrayLike<number>) {
    checkDataset("Subset", dataset);
    for (const index of Array.from(indices)) checkIndex("Subset", index, dataset.length);
    this.dataset = dataset;
    this.indices = indices;
    const { backend } = dataset;
    if (backend) this.backend = backend;
    if (dataset.batch) {
      this.batch = (own) => dataset.batch?.(Int32Array.from(own, (i) => indices[i] as number)) as Sample;
    }
  }

  get length(): number {
    return this.indices.length;
  }
  get(index: number): Sample {
    checkIndex("Subset.get", index, this.length);
    return this.dataset.get(this.indices[index] as number);
  }
}

/** Several datasets, one after the other (torch.utils.data.ConcatDataset). */
export class ConcatDataset<Sample> implements Dataset<Sample> {
  readonly datasets: readonly Dataset<Sample>[];
  readonly length: number;
  readonly backend?: Backend;

  constructor(datasets: readonly Dataset<Sample>[]) {
    if (datasets.length === 0) throw new DescentError("argument", "ConcatDataset", "takes at least one dataset");
    for (const dataset of datasets) checkDataset("ConcatDataset", dataset);
    this.datasets = datasets;
    this.length = datasets.reduce((sum, { length }) => sum + length, 0);
    const backend = datasets.find((dataset) => dataset.backend)?.backend;
    if (backend) this.backend = backend;
  }

  get(index: number): Sample {
    checkIndex("ConcatDataset.get", index, this.length);
    let within = index;
    for (const dataset of this.datasets) {
      if (within < dataset.length) return dataset.get(within);
      within -= dataset.length;
    }
    throw new DescentError("internal", "ConcatDataset.get", "a dataset has shrunk", { index });
  }
}

/**
 * Parts of `dataset`, drawn at random without overlap (torch.utils.data.random_split). `lengths` are numbers of samples that add
 * up to all, or fractions that add up to 1; what rounding leaves over goes to the first parts, one each.
 */
export function randomSplit<Sample>(
  dataset: Dataset<Sample>,
  lengths: readonly number[],
  { seed = 0 }: { readonly seed?: number } = {},
): Subset<Sample>[] {
  checkDataset("randomSplit", dataset);
  checkSeed("randomSplit", seed);
  const counts = countsOf(dataset.length, lengths);
  const order = streamOf(seed, 0).permutation(dataset.length);
  let start = 0;
  return counts.map((count) => {
    const indices = order.subarray(start, start + count);
    start += count;
    return new Subset(dataset, indices);
  });
}

function countsOf(length: number, lengths: readonly number[]): readonly number[] {
  const sum = lengths.reduce((total, part) => total + part, 0);
  const wrong = lengths.some((part) => !(part >= 0));
  if (!wrong && Math.abs(sum - 1) < 1e-9 && lengths.some((part) => part < 1)) {
    const counts = lengths.map((fraction) => Math.floor(fraction * length + 1e-9));
    let left = length - counts.reduce((total, count) => total + count, 0);
    return counts.map((count) => (left-- > 0 ? count + 1 : count));
  }
  if (!wrong && sum === length && lengths.every(Number.isInteger)) return lengths;
  const hint = "Give numbers of samples that add up to all, or fractions that add up to 1.";
  throw new DescentError(
    "argument",
    "randomSplit",
    "the parts do not make the whole",
    { samples: length, parts: lengths },
    hint,
  );
}
