import { checkOptions, currentRuntime, DescentError, Pace, type Runtime, runtimeOf } from "@descent/tensor";
import { type Collated, collate } from "./collate.ts";
import { checkDataset, type Dataset } from "./dataset.ts";
import { RandomSampler, type Sampler, SequentialSampler } from "./samplers.ts";

export interface DataLoaderOptions<Sample, Batch> {
  /** Samples per batch. Default: 1. */
  readonly batchSize?: number;
  /** Visit the samples in another random order in every epoch. Default: false. */
  readonly shuffle?: boolean;
  /** What the orders follow from, and nothing else. Default: 0. */
  readonly seed?: number;
  /** Leave out the last batch when it is not full. Default: false. */
  readonly dropLast?: boolean;
  /** Decides the order, instead of `shuffle` and `seed`. */
  readonly sampler?: Sampler;
  /** Makes a batch of samples. Default: `collate`, or the dataset's own way. */
  readonly collate?: (samples: Awaited<Sample>[]) => Batch;
}

/** Where a loader stands, as plain data. */
export interface DataLoaderState {
  /** Epochs begun and ended before this one. */
  readonly epoch: number;
  /** Samples of this epoch that were handed out. */
  readonly position: number;
}

const names = ["batchSize", "shuffle", "seed", "dropLast", "sampler", "collate"];

/**
 * Iterates over a dataset in batches, once per loop (torch.utils.data.DataLoader). Each iteration is a stretch of memory of its own:
 * what it made and nobody kept is given back after the next one. `for await` also keeps asynchronous backends from
 * falling behind, and a page responsive on the others. The order depends on `seed` and the epoch alone.
 *
 * @example
 * const loader = new DataLoader(new TensorDataset({ x, y }), { batchSize: 128, shuffle: true });
 * for (const { x, y } of loader) …       // or: for await (const { x, y } of loader)
 */
export class DataLoader<Sample, Batch = Collated<Awaited<Sample>>> implements Iterable<Batch>, AsyncIterable<Batch> {
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly sampler: Sampler;
  readonly #collate: ((samples: Awaited<Sample>[]) => Batch) | null;
  #epoch = 0;
  #position = 0;
  /** Whether the next loop goes on at `#position` rather than with a new epoch. */
  #resumes = false;

  constructor(dataset: Dataset<Sample>, options: DataLoaderOptions<Sample, Batch> = {}) {
    checkDataset("DataLoader", dataset);
    checkOptions("DataLoader", options, names);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, sampler } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      const hint = "For example { batchSize: 32 }.";
      throw new DescentError("argument", "DataLoader", "the batch size is no positive integer", { batchSize }, hint);
    }
    if (sampler && shuffle)
      throw new DescentError("option", "DataLoader", "a sampler decides the order: shuffle has no meaning beside it");
    if (options.collate !== undefined && typeof options.collate !== "function")
      throw new DescentError("option", "DataLoader", "collate is no function", { collate: typeof options.collate });
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    const { length } = dataset;
    this.sampler = sampler ?? (shuffle ? new RandomSampler(length, { seed }) : new SequentialSampler(length));
    this.#collate = options.collate ?? null;
  }

  /** Batches per epoch. */
  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Where the loader stands. Inside a loop, the batch in hand counts as done. */
  stateDict(): DataLoaderState {
    return { epoch: this.#epoch, position: this.#position };
  }

  /** Makes the next loop go on where `state` was saved: the batches left of its epoch, in the same order. */
  loadStateDict(state: DataLoaderState): void {
    const { epoch, position } = state ?? {};
    const valid = (n: number) => Number.isSafeInteger(n) && n >= 0;
    if (!valid(epoch) || !valid(position) || position > this.sampler.length) {
      const facts = { epoch, position, samples: this.sampler.length };
      const hint = "Build the loader with the dataset and options it was saved with.";
      throw new DescentError("state", "DataLoader.loadStateDict", "the state does not fit this loader", facts, hint);
    }
    [this.#epoch, this.#position, this.#resumes] = [epoch, position, true];
  }

  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    const { memory } = this.#runtime();
    memory.enterLoop();
    try {
      for (const indices of this.#epochs()) {
        const own = this.#whole(indices);
        yield own ?? this.#joined(Array.from(indices, (index) => this.dataset.get(index)) as Awaited<Sample>[]);
        memory.endIteration();
      }
    } finally {
      memory.leaveLoop();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const runtime = this.#runtime();
    const { memory } = runtime;
    const pace = new Pace(runtime);
    memory.enterLoop();
    try {
      for (const indices of this.#epochs()) {
        const own = this.#whole(indices);
        yield own ?? this.#joined(await Promise.all(Array.from(indices, (index) => this.dataset.get(index))));
        memory.endIteration();
        await pace.next();
      }
    } finally {
      memory.leaveLoop();
    }
  }

  #runtime(): Runtime {
    const { backend } = this.dataset;
    return backend ? runtimeOf(backend) : currentRuntime("DataLoader");
  }

  /** The indices of one batch after the other, to the end of an epoch; keeps account of where it is. */
  *#epochs(): Generator<ArrayLike<number>, void, undefined> {
    if (!this.#resumes && this.#position > 0) [this.#epoch, this.#position] = [this.#epoch + 1, 0]; // the last loop was left
    this.#resumes = false;
    const epoch = this.#epoch;
    const order = Array.from(this.sampler.indices(epoch));
    for (let start = this.#position; start < order.length; start += this.batchSize) {
      const indices = order.slice(start, start + this.batchSize);
      if (this.dropLast && indices.length < this.batchSize) break;
      [this.#epoch, this.#position] = [epoch, start + indices.length];
      yield indices;
    }
    [this.#epoch, this.#position] = [epoch + 1, 0];
  }

  /** The batch as the dataset makes it itself; null where it does not, or where samples are collated by the user. */
  #whole(indices: ArrayLike<number>): Batch | null {
    if (this.#collate || !this.dataset.batch) return null;
    return this.dataset.batch(indices) as unknown as Batch;
  }

  #joined(samples: Awaited<Sample>[]): Batch {
    return this.#collate ? this.#collate(samples) : (collate(samples, this.dataset.backend) as unknown as Batch);
  }
}
