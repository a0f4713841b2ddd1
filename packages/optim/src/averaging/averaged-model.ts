import { checkOptions, DescentError, hosted, isFloat, Tensor, type Traced, type Value } from "@descent/tensor";
import { flatTogether, Launches } from "../core/launches.ts";
import { overwrite } from "../core/overwrite.ts";
import { stateTensor } from "../core/state-dict.ts";
import { type AverageFn, getSwaAvgFn } from "./average-fn.ts";
import { type Averageable, type Entry, entriesOf } from "./averageable.ts";

export interface AveragedModelOptions {
  /** How averages are made: `getSwaAvgFn()`, `getEmaAvgFn(decay)` or a function of your own. Default: the mean of all models. */
  readonly avgFn?: AverageFn;
  /** Whether buffers (running statistics) are averaged as well, or copied with each update. Default: false. */
  readonly useBuffers?: boolean;
}

/** In PyTorch's spelling: `n_averaged`, and the averages under `module.` and their names. */
export type AveragedState = { readonly n_averaged: number | Tensor } & Readonly<Record<string, number | Tensor>>;

/** An average, and where it comes from. */
interface Average extends Entry {
  readonly average: Tensor;
}

const exchange: Traced = {
  name: "AveragedModel.swap",
  key: "AveragedModel.swap",
  dtype: ([x]) => (x as Tensor).dtype,
  outputs: (computed) => [computed, computed],
  body: ([a, b]) => [b!, a!],
};

const ids = new WeakMap<AverageFn, number>();
let nextId = 0;
/** Tells the programs of different functions apart. */
function idOf(avgFn: AverageFn): number {
  const id = ids.get(avgFn) ?? nextId++;
  ids.set(avgFn, id);
  return id;
}

/** The number of models in a saved state; PyTorch has it in a tensor. */
function countOf(operation: string, saved: unknown): number {
  if (typeof saved === "number") return saved;
  if (saved instanceof Tensor && saved.size === 1 && saved.backend.readSync) return saved.itemSync();
  const hint = "Pass { ...state, n_averaged: await state.n_averaged.item() }.";
  throw new DescentError("state", operation, "n_averaged is no number that can be read at once", {}, hint);
}

/**
 * Averages of a model's weights over training: stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407) or an exponential
 * moving average (Polyak & Juditsky 1992); torch.optim.swa_utils.AveragedModel. The averages are copies beside the model, which trains
 * on; `evaluate` lends them to the model. One launch per tensor and update.
 *
 * @example
 * const averaged = new AveragedModel(model, { avgFn: getEmaAvgFn(0.999) });
 * for (const { x, y } of loader) {
 *   …
 *   optimizer.step();
 *   averaged.updateParameters();
 * }
 * const accuracy = averaged.evaluate(() => test(model));
 */
export class AveragedModel<M extends Averageable = Averageable> {
  /** The model that trains; PyTorch holds a copy here. */
  readonly module: M;
  readonly useBuffers: boolean;
  /** Models averaged so far. */
  nAveraged = 0;
  readonly #averages: readonly Average[];
  readonly #specs = new Map<string, Traced>();
  readonly #avgFn: AverageFn;
  #swapped = false;

  constructor(model: M, options: AveragedModelOptions = {}) {
    checkOptions("AveragedModel", options, ["avgFn", "useBuffers"]);
    const { avgFn = getSwaAvgFn(), useBuffers = false } = options;
    if (typeof avgFn !== "function") {
      const hint = "For example getEmaAvgFn(0.999).";
      throw new DescentError("argument", "AveragedModel", "avgFn is no function", { avgFn: typeof avgFn }, hint);
    }
    this.module = model;
    this.useBuffers = useBuffers;
    this.#avgFn = avgFn;
    this.#averages = entriesOf("AveragedModel", model).map((entry) => ({
      ...entry,
      average: stateTensor(entry.tensor, entry.tensor.detach()),
    }));
  }

  /** The averages of the parameters, in the model's order. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, average]) => average);
  }
  /** The averages of the parameters, by the model's names. */
  namedParameters(): [string, Tensor][] {
    return this.#entries(false);
  }
  /** As `parameters`, of the buffers. */
  buffers(): Tensor[] {
    return this.namedBuffers().map(([, average]) => average);
  }
  namedBuffers(): [string, Tensor][] {
    return this.#entries(true);
  }

  /** Where the averages are now: while they are swapped in, the model has them. */
  #entries(isBuffer: boolean): [string, Tensor][] {
    return this.#averages
      .filter((entry) => entry.isBuffer === isBuffer)
      .map(({ name, tensor, average }) => [name, this.#swapped ? tensor.detach() : average]);
  }

  /**
   * Takes the model's present weights into the averages; the first time, copies them.
   * @param model another model of the same structure. Default: the one given at construction.
   */
  updateParameters(model: Averageable = this.module): void {
    const operation = "AveragedModel.updateParameters";
    this.#refuseSwapped(operation);
    const current = entriesOf(operation, model);
    this.#checkAlike(operation, current);
    // In a captured step too, it counts.
    hosted({ planned: () => false, run: () => this.#take(current), after: () => {} });
  }

  #take(current: readonly Entry[]): void {
    const launches = new Launches();
    for (const [i, { average, isBuffer }] of this.#averages.entries()) {
      const source = current[i]!.tensor.detach();
      if (average.size === 0) continue;
      if (this.nAveraged === 0 || (isBuffer && !this.useBuffers)) overwrite(average, source);
      else launches.addRun(this.#spec(average), [this.nAveraged], flatTogether([average, source]), [1]);
    }
    launches.submit();
    this.nAveraged++;
  }

  /** The average as a traced operation; of integers it is computed in float32 and cut off, as in PyTorch. */
  #spec({ dtype }: Tensor): Traced {
    const computed = isFloat(dtype) ? dtype : "float32";
    const key = `AveragedModel ${idOf(this.#avgFn)} ${dtype}`;
    const known = this.#specs.get(key);
    if (known) return known;
    const spec: Traced = {
      name: "AveragedModel",
      key,
      dtype: () => computed,
      outputs: () => [dtype],
      body: ([n, averaged, current]) => [this.#avgFn(averaged as Value, current as Value, n as Value)],
    };
    this.#specs.set(key, spec);
    return spec;
  }

  /**
   * Exchanges the model's weights for the averages, until `restore()`. The model keeps its tensors; their contents change places, one
   * launch each. `using _ = averaged.swapIn()` restores at the end of the block.
   */
  swapIn(): Disposable {
    this.#refuseSwapped("AveragedModel.swapIn");
    this.#exchange();
    this.#swapped = true;
    return { [Symbol.dispose]: () => this.restore() };
  }

  /** Gives the model its own weights back; what happened to it in the meantime stays with the averages. Does nothing when not swapped. */
  restore(): void {
    if (!this.#swapped) return;
    this.#exchange();
    this.#swapped = false;
  }

  /** Runs `fn` while the model has the averages, then gives it its own weights back; returns what `fn` did, a promise if it did. */
  evaluate<R>(fn: (model: M) => R): R {
    this.swapIn();
    let pending = false;
    try {
      const result = fn(this.module);
      if (!(result instanceof Promise)) return result;
      pending = true;
      return result.finally(() => this.restore()) as R;
    } finally {
      if (!pending) this.restore();
    }
  }

  /** Copies the averages into a model: the trained one, at the end, or another of the same structure. */
  copyTo(model: Averageable = this.module): void {
    const operation = "AveragedModel.copyTo";
    this.#refuseSwapped(operation);
    const targets = entriesOf(operation, model);
    this.#checkAlike(operation, targets);
    for (const [i, { average }] of this.#averages.entries()) overwrite(targets[i]!.tensor.detach(), average);
  }

  /** The number of models averaged, and the averages; its tensors are the live ones. */
  stateDict(): AveragedState {
    const named = this.#averages
      .filter(({ saved }) => saved)
      .map(({ name, tensor, average }) => [`module.${name}`, this.#swapped ? tensor.detach() : average]);
    return Object.fromEntries([["n_averaged", this.nAveraged], ...named]) as AveragedState;
  }

  /** Takes over a saved state, by copy. Throws code "state", with nothing changed, where it does not fit. */
  loadStateDict(state: AveragedState): void {
    const operation = "AveragedModel.loadStateDict";
    this.#refuseSwapped(operation);
    const own = new Map(this.#averages.filter(({ saved }) => saved).map((entry) => [`module.${entry.name}`, entry]));
    const missing = ["n_averaged", ...own.keys()].filter((key) => !Object.hasOwn(state, key));
    const unexpected = Object.keys(state).filter((key) => key !== "n_averaged" && !own.has(key));
    if (missing.length + unexpected.length > 0)
      throw new DescentError("state", operation, "the state is of another model", { missing, unexpected });
    for (const [key, { average }] of own) {
      const { shape, runtime } = state[key] as Tensor;
      if (shape?.join() === average.shape.join() && runtime === average.runtime) continue;
      const facts = { key, saved: shape, expected: average.shape };
      throw new DescentError("state", operation, "a saved average has another shape or backend", facts);
    }
    const count = countOf(operation, state.n_averaged);
    for (const [key, { average }] of own) overwrite(average, (state[key] as Tensor).detach());
    this.nAveraged = count;
  }

  #exchange(): void {
    const launches = new Launches();
    for (const { tensor, average } of this.#averages)
      if (tensor.size > 0) launches.addRun(exchange, [], flatTogether([tensor.detach(), average]), [0, 1]);
    launches.submit();
  }

  #refuseSwapped(operation: string): void {
    if (!this.#swapped) return;
    throw new DescentError("argument", operation, "the averages are swapped in", {}, "Call restore() first.");
  }

  #checkAlike(operation: string, others: readonly Entry[]): void {
    const shapes = (entries: readonly Entry[]) => entries.map(({ tensor }) => `[${tensor.shape.join(", ")}]`);
    const [own, other] = [shapes(this.#averages), shapes(others)];
    const at = Array.from({ length: Math.max(own.length, other.length) }).findIndex((_, i) => own[i] !== other[i]);
    if (at < 0) return;
    const facts = {
      [others[at]?.name ?? this.#averages[at]!.name]: other[at] ?? "missing",
      averaged: own[at] ?? "none",
    };
    throw new DescentError("shape", operation, "the model has other tensors than the averaged one", facts);
  }
}
