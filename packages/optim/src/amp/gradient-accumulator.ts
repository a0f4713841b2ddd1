import { checkOptions, DescentError, isCapturing, SparseTensor, type Tensor, type Traced } from "@descent/tensor";
import { changeInPlace } from "../clip/change-in-place.ts";
import { type Gradient, gradientsOf } from "../clip/gradients.ts";
import { drive, numbers, type Request } from "../core/drive.ts";
import { drop, keep } from "../core/keep.ts";
import { flatTogether, Launches } from "../core/launches.ts";
import { type GradScaler, largestOf, type Scalable } from "./grad-scaler.ts";

export interface GradientAccumulatorOptions {
  /** Backward passes per optimizer step, a positive integer. */
  readonly steps: number;
  /**
   * Leave out backward passes that gave an infinite or NaN gradient: they do not count, and what the others gave is kept (beside the
   * gradients, which takes as much memory again). Reads one number each. Default: false.
   */
  readonly skipNonfinite?: boolean;
  /** Step with the mean of the gradients, as if all had been one batch; or with their sum. Default: true. */
  readonly average?: boolean;
  /** The scaler that the losses go through: it then makes the step, and is updated. */
  readonly scaler?: GradScaler;
}

const names = ["steps", "skipNonfinite", "average", "scaler"];

const plus: Traced = {
  name: "GradientAccumulator",
  key: "GradientAccumulator plus",
  dtype: ([x]) => (x as Tensor).dtype,
  body: ([a, b]) => [a!.add(b!)],
};

/**
 * Steps an optimizer once for several backward passes: large batches in small memory. Call `step()` after each `backward()` instead of
 * the optimizer's `step()` and `zeroGrad()`; it returns whether the optimizer stepped (a promise, on backends that cannot read at
 * once, with `skipNonfinite` or `scaler`), which is when a scheduler should. (PyTorch has no such helper; optax.MultiSteps is one.)
 *
 * To clip, hook on the step: `optimizer.registerStepPreHook(() => void clipGradNorm_(params, 1))`.
 *
 * @example
 * const accumulator = new GradientAccumulator(optimizer, { steps: 4, skipNonfinite: true });
 * for (const { x, y } of loader) {
 *   crossEntropy(model.forward(x), y).backward();
 *   if (await accumulator.step()) scheduler.step();
 * }
 * await accumulator.flush();
 */
export class GradientAccumulator {
  readonly optimizer: Scalable;
  readonly steps: number;
  /** Backward passes left out so far because a gradient was not finite. */
  skipped = 0;
  readonly #skipNonfinite: boolean;
  readonly #average: boolean;
  readonly #scaler: GradScaler | null;
  /** Backward passes since the last step, those left out not counted. */
  #count = 0;
  /** What they gave, where it is kept apart from the next pass. */
  readonly #kept = new Map<Tensor, Tensor>();
  #busy = false;

  constructor(optimizer: Scalable, options: GradientAccumulatorOptions) {
    checkOptions("GradientAccumulator", options, names);
    const { steps, skipNonfinite = false, average = true, scaler = null } = options;
    if (!(Number.isInteger(steps) && steps > 0))
      throw new DescentError("argument", "GradientAccumulator", "steps must be a positive integer", { steps });
    if (skipNonfinite && scaler) {
      const hint = "A scaler leaves out the steps of such gradients itself, and has to see them.";
      throw new DescentError("option", "GradientAccumulator", "skipNonfinite does not go with a scaler", {}, hint);
    }
    this.optimizer = optimizer;
    this.steps = steps;
    this.#skipNonfinite = skipNonfinite;
    this.#average = average;
    this.#scaler = scaler;
  }

  /** Counts a backward pass, and steps the optimizer with the last of `steps`. Returns whether it did. */
  step(): boolean | Promise<boolean> {
    return this.#exclusively(this.#take());
  }

  /** Steps with what there is, where the number of passes is no multiple of `steps`; returns whether it did. */
  flush(): boolean | Promise<boolean> {
    return this.#exclusively(this.#finish());
  }

  get #params(): Tensor[] {
    return this.optimizer.paramGroups.flatMap(({ params }) => params);
  }

  #exclusively(work: Generator<Request, boolean, unknown>): boolean | Promise<boolean> {
    if (this.#busy) {
      const hint = "await accumulator.step()";
      throw new DescentError("argument", "GradientAccumulator", "the last step is still going on", {}, hint);
    }
    if (isCapturing()) {
      const hint = "Capture the backward pass, and call step() outside.";
      throw new DescentError("unsupported", "GradientAccumulator", "a captured step cannot count", {}, hint);
    }
    this.#busy = true;
    let pending = false;
    try {
      const result = drive(work);
      if (!(result instanceof Promise)) return result;
      pending = true;
      return result.finally(() => {
        this.#busy = false;
      });
    } finally {
      if (!pending) this.#busy = false;
    }
  }

  *#take(): Generator<Request, boolean, unknown> {
    if (this.#skipNonfinite && !(yield* this.#setAside())) {
      this.skipped++;
      return false;
    }
    this.#count++;
    return this.#count < this.steps ? false : yield* this.#finish();
  }

  /** Adds the gradients of one pass to those kept, if they are finite; either way the parameters have none afterwards. */
  *#setAside(): Generator<Request, boolean, unknown> {
    const given = this.#params.filter(({ grad }) => grad !== null);
    if (given.length === 0) return true;
    const { gradients } = gradientsOf("GradientAccumulator", given);
    const grads = new Map(given.map((p) => [p, keep(p.grad as Tensor)]));
    for (const p of given) p.grad = null;
    const largest = largestOf("GradientAccumulator", gradients);
    const finite = largest === null || Number.isFinite((yield* numbers(largest))[0]);
    const launches = new Launches();
    for (const [p, grad] of grads) {
      const before = this.#kept.get(p);
      if (!finite) drop(grad);
      else if (!before) this.#kept.set(p, grad);
      else if (before instanceof SparseTensor || grad instanceof SparseTensor) {
        const sum = before instanceof SparseTensor ? before.plus(grad) : (grad as SparseTensor).plus(before);
        this.#kept.set(p, keep(sum, before));
        drop(grad);
      } else {
        if (p.size > 0) launches.addRun(plus, [], flatTogether([before.detach(), grad.detach()]), [0]);
        drop(grad);
      }
    }
    launches.submit();
    return finite;
  }

  *#finish(): Generator<Request, boolean, unknown> {
    if (this.#count === 0) return false;
    for (const [p, grad] of this.#kept) {
      p.grad = grad;
      drop(grad);
    }
    this.#kept.clear();
    const params = this.#params;
    if (this.#average && this.#count > 1) {
      const { gradients } = gradientsOf("GradientAccumulator", params);
      changeInPlace("GradientAccumulator", dataOf(gradients), 1 / this.#count, (g, by) => g.mul(by));
    }
    this.#count = 0;
    const { optimizer } = this;
    const scaler = this.#scaler;
    yield () => (scaler ? scaler.step(optimizer) : optimizer.step());
    if (scaler) yield () => scaler.update();
    for (const p of params) p.grad = null;
    return !scaler?.skipped(optimizer);
  }
}

const dataOf = (gradients: readonly Gradient[]): Tensor[] => gradients.map(({ data }) => data);
