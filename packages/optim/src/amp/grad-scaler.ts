import { checkOptions, DescentError, Tensor } from "@descent/tensor";
import { changeInPlace } from "../clip/change-in-place.ts";
import { type Gradient, gradientsOf } from "../clip/gradients.ts";
import { normsOf, totalOf } from "../clip/norms.ts";
import { drive, numbers, type Request } from "../core/drive.ts";

export interface GradScalerOptions {
  /** First scale, above 0. Default: 65536. */
  readonly initScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps in a row without overflow; above 1. Default: 2. */
  readonly growthFactor?: number;
  /** What it is multiplied by after an overflow; above 0 and below 1. Default: 0.5. */
  readonly backoffFactor?: number;
  /** A positive integer. Default: 2000. */
  readonly growthInterval?: number;
  /** Without, everything passes through unchanged. Default: true. */
  readonly enabled?: boolean;
}

/** In PyTorch's shape and spelling; empty when not enabled. */
export interface GradScalerState {
  readonly scale?: number;
  readonly growth_factor?: number;
  readonly backoff_factor?: number;
  readonly growth_interval?: number;
  readonly _growth_tracker?: number;
}

/** What the scaler needs of an optimizer. */
export interface Scalable {
  readonly paramGroups: readonly { readonly params: readonly Tensor[] }[];
  step(): unknown;
}

/** What has happened to an optimizer's gradients since the last `update`. */
interface Progress {
  /** Largest absolute value of all gradients; null: there are none. */
  readonly largest: Tensor | null;
  /** Whether one was not finite, once that has been read. */
  overflow: boolean | null;
  stepped: boolean;
}

const settings = ["initScale", "growthFactor", "backoffFactor", "growthInterval", "enabled"];
const keys = ["scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"] as const;

const fail = (operation: string, fault: string, facts: object = {}, hint = ""): never => {
  throw new DescentError("argument", `GradScaler.${operation}`, fault, { ...facts }, hint);
};

type Scaled<T> = T extends Tensor ? Tensor : T;

/**
 * Loss scaling for float16 (torch.amp.GradScaler; Micikevicius et al. 2018, arXiv:1710.03740): the loss is multiplied by a scale, so
 * that small gradients do not vanish; `step` divides them by it again, and leaves the step out when one has overflowed; `update`
 * then lowers the scale, or raises it after a long run without overflow.
 *
 * Whether to step is decided on the host: `step` and `update` return promises on backends that cannot read at once. `await` them.
 *
 * @example
 * const scaler = new GradScaler();
 * scheduler.skipWhen(() => scaler.skipped(optimizer));
 * for (const { x, y } of loader) {
 *   optimizer.zeroGrad();
 *   scaler.scale(crossEntropy(model.forward(x), y)).backward();
 *   await scaler.step(optimizer);
 *   await scaler.update();
 *   scheduler.step();
 * }
 */
export class GradScaler {
  readonly enabled: boolean;
  #scale: number;
  #growthFactor: number;
  #backoffFactor: number;
  #growthInterval: number;
  #growthTracker = 0;
  readonly #progress = new Map<Scalable, Progress>();
  readonly #skipped = new WeakSet<Scalable>();

  constructor(options: GradScalerOptions = {}) {
    checkOptions("GradScaler", options, settings);
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    this.enabled = enabled;
    this.#scale = Math.fround(checked("scale", initScale, "initScale"));
    this.#growthFactor = checked("growth_factor", growthFactor, "growthFactor");
    this.#backoffFactor = checked("backoff_factor", backoffFactor, "backoffFactor");
    this.#growthInterval = checked("growth_interval", growthInterval, "growthInterval");
  }

  /** The scale now; 1 when not enabled. */
  getScale(): number {
    return this.enabled ? this.#scale : 1;
  }

  /** A loss, or arrays and plain objects of them, times the scale. */
  scale<T>(losses: T): Scaled<T> {
    if (losses instanceof Tensor) return (this.enabled ? losses.mul(this.#scale) : losses) as Scaled<T>;
    if (Array.isArray(losses)) return losses.map((loss) => this.scale(loss)) as Scaled<T>;
    if (typeof losses === "object" && losses !== null) {
      const scaled = Object.entries(losses).map(([key, loss]) => [key, this.scale(loss)]);
      return Object.fromEntries(scaled) as Scaled<T>;
    }
    return fail("scale", "takes tensors", { got: typeof losses });
  }

  /** Divides the gradients of an optimizer by the scale now, for clipping before `step`. Once per optimizer and update. */
  unscale_(optimizer: Scalable): void {
    if (!this.enabled) return;
    const before = this.#progress.get(optimizer);
    if (before?.stepped) fail("unscale_", "is called after step()");
    if (before) fail("unscale_", "has been called on this optimizer since the last update()");
    const params = optimizer.paramGroups.flatMap((group) => group.params);
    const half = params.find(({ grad }) => grad?.dtype === "float16");
    if (half) {
      const hint = "Keep parameters in float32, and convert inside the model.";
      fail("unscale_", "float16 gradients cannot be unscaled", { shape: half.shape }, hint);
    }
    const { gradients } = gradientsOf("GradScaler.unscale_", params);
    const tensors = gradients.map(({ data }) => data);
    // What is measured is what was scaled: dividing may hide an overflow, and cannot make one.
    const largest = largestOf("GradScaler.unscale_", gradients);
    changeInPlace("GradScaler.unscale_", tensors, 1 / this.#scale, (g, by) => g.mul(by));
    this.#progress.set(optimizer, { largest, overflow: null, stepped: false });
  }

  /**
   * Steps the optimizer unless a gradient is infinite or NaN, after dividing them by the scale if `unscale_` has not.
   * Returns what its step does; undefined when that was left out.
   */
  step<R>(optimizer: Scalable & { step(): R }): R | undefined | Promise<R | undefined> {
    if (!this.enabled) return optimizer.step() as R;
    if (this.#progress.get(optimizer)?.stepped) fail("step", "has been called since the last update()");
    if (!this.#progress.has(optimizer)) this.unscale_(optimizer);
    const progress = this.#progress.get(optimizer) as Progress;
    progress.stepped = true;
    return drive(this.#step(optimizer, progress)) as R | undefined | Promise<R | undefined>;
  }

  *#step(optimizer: Scalable, progress: Progress): Generator<Request, unknown, unknown> {
    const overflow = yield* this.#overflow(progress);
    if (overflow) this.#skipped.add(optimizer);
    else this.#skipped.delete(optimizer);
    return overflow ? undefined : optimizer.step();
  }

  *#overflow(progress: Progress): Generator<Request, boolean, unknown> {
    if (progress.overflow === null) {
      const [largest = 0] = progress.largest ? yield* numbers(progress.largest) : [];
      progress.overflow = !Number.isFinite(largest);
    }
    return progress.overflow;
  }

  /** Whether the last step of this optimizer was left out: for `scheduler.skipWhen`. */
  skipped(optimizer: Scalable): boolean {
    return this.#skipped.has(optimizer);
  }

  /** Ends an iteration: adjusts the scale, or sets it to `newScale`. */
  update(newScale?: number): undefined | Promise<undefined> {
    if (!this.enabled) return undefined;
    if (newScale !== undefined) {
      this.#scale = Math.fround(checked("scale", newScale, "newScale", "GradScaler.update"));
      this.#progress.clear();
      return undefined;
    }
    if (this.#progress.size === 0) {
      const hint = "Call step() first, with gradients from scale(loss).backward().";
      fail("update", "no gradients were looked at since the last update()", {}, hint);
    }
    return drive(this.#update([...this.#progress.values()]));
  }

  *#update(all: readonly Progress[]): Generator<Request, undefined, unknown> {
    let overflow = false;
    for (const progress of all) overflow = (yield* this.#overflow(progress)) || overflow;
    this.#progress.clear();
    // A scale of 0 could not be divided by.
    if (overflow) this.#scale = Math.fround(this.#scale * this.#backoffFactor) || this.#scale;
    this.#growthTracker = overflow ? 0 : this.#growthTracker + 1;
    if (this.#growthTracker < this.#growthInterval) return undefined;
    this.#growthTracker = 0;
    const grown = Math.fround(this.#scale * this.#growthFactor);
    if (Number.isFinite(grown)) this.#scale = grown;
    return undefined;
  }

  /** Everything needed to go on, in PyTorch's shape and spelling; take it between iterations. Empty when not enabled. */
  stateDict(): GradScalerState {
    if (!this.enabled) return {};
    return {
      scale: this.#scale,
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: this.#growthInterval,
      _growth_tracker: this.#growthTracker,
    };
  }

  /** Goes on where `stateDict` was taken, here or in PyTorch. Does nothing when not enabled. */
  loadStateDict(state: GradScalerState): void {
    if (!this.enabled) return;
    const operation = "GradScaler.loadStateDict";
    const missing = keys.filter((key) => state?.[key] === undefined);
    if (missing.length > 0) {
      const hint = "An empty state comes from a scaler that was not enabled.";
      throw new DescentError("state", operation, "the state lacks entries", { missing }, hint);
    }
    const values = keys.map((key) => checked(key, state[key] as number, key, operation));
    [this.#scale, this.#growthFactor, this.#backoffFactor, this.#growthInterval, this.#growthTracker] = values as [
      number,
      number,
      number,
      number,
      number,
    ];
  }
}

const ranges: Record<(typeof keys)[number], readonly [string, (x: number) => boolean]> = {
  scale: ["a finite number above 0", (x) => x > 0 && Number.isFinite(Math.fround(x))],
  growth_factor: ["a finite number above 1", (x) => x > 1 && Number.isFinite(x)],
  backoff_factor: ["above 0 and below 1", (x) => x > 0 && x < 1],
  growth_interval: ["a positive integer", (x) => x > 0 && Number.isInteger(x)],
  _growth_tracker: ["an integer of at least 0", (x) => x >= 0 && Number.isInteger(x)],
};

/** `value`, if it is as its range says. */
function checked(key: (typeof keys)[number], value: number, name: string, operation = "GradScaler"): number {
  const [expected, accepts] = ranges[key];
  if (typeof value === "number" && accepts(value)) return value;
  const code = operation.endsWith("loadStateDict") ? "state" : "argument";
  throw new DescentError(code, operation, `${name} must be ${expected}`, { [name]: value });
}

/** The largest absolute value of all gradients; null where there are none. */
export function largestOf(operation: string, gradients: readonly Gradient[]): Tensor | null {
  const tensors = gradients.map(({ data }) => data);
  const norms = normsOf(operation, tensors, Number.POSITIVE_INFINITY);
  return norms && totalOf(operation, norms, Number.POSITIVE_INFINITY, 1, false)[0];
}
