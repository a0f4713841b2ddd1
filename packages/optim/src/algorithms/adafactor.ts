import { type DType, lerpValues as lerp, runTraced, type Tensor, type Traced, type Value } from "@descent/tensor";
import { atMostZero, flag, nonNegative, number, type Option, oneAndMore } from "../core/options.ts";
import type { ParamGroup } from "../core/param-groups.ts";
import { SingleOptimizer } from "../core/single-optimizer.ts";
import { stateTensor } from "../core/state-dict.ts";

export interface AdafactorOptions {
  /** Largest relative step size, and the rate of weight decay. Default: 1e-2. */
  lr: number;
  /** Power of the step count that the averages forget with; at most 0. Default: −0.8. */
  beta2Decay: number;
  /** Least second moment (null: the machine epsilon of the parameter's dtype), and least size of a parameter. Default: [null, 1e-3]. */
  eps: readonly [number | null, number];
  /** Root mean square above which an update is scaled down, at least 1. Default: 1. */
  d: number;
  /** The parameter shrinks by lr · weightDecay. Default: 0. */
  weightDecay: number;
  /** Ascend instead of descend. Default: false. */
  maximize: boolean;
}

const epsPair: Option<AdafactorOptions["eps"]> = {
  default: [null, 1e-3],
  expected: "two numbers of at least 0, the first of which may be null",
  accepts: (x) =>
    Array.isArray(x) && x.length === 2 && x.every((e, i) => (e === null && i === 0) || (Number.isFinite(e) && e >= 0)),
};

const machineEpsilon: Partial<Record<DType, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  bfloat16: 2 ** -7,
  float16: 2 ** -10,
};

const computed = ([p]: readonly (Tensor | number)[]): DType => (p as Tensor).dtype;

/** v ← lerp(v, mean of g² along a row, ω); v is one per row. */
const averageRow: Traced = {
  name: "Adafactor",
  key: "Adafactor row",
  dtype: computed,
  perRow: [true],
  body: ([v, g, weight], _trace, count) => [lerp(v!, g!.square().sum().div(count), weight!)],
};

const average: Traced = {
  name: "Adafactor",
  key: "Adafactor vector",
  dtype: computed,
  body: ([v, g, weight]) => [lerp(v!, g!.square(), weight!)],
};

const meanRow: Traced = {
  name: "Adafactor",
  key: "Adafactor mean",
  dtype: computed,
  perRow: [true],
  body: ([v], _trace, count) => [v!.sum().div(count)],
};

/** The estimated second moment: R·C / mean(R) for matrices, else the average itself. */
const moment = ([r, c, mean]: readonly (Value | undefined)[], eps: Value): Value =>
  (mean ? r!.mul(c!).div(mean.maximum(eps)) : r!).maximum(eps.mul(eps));

/** How far to go along g/√V: relative to the size of p, and less where g/√V is large. */
const stepSize: Traced = {
  name: "Adafactor",
  key: "Adafactor size",
  dtype: computed,
  perRow: [true],
  body: ([p, g, eps, least, d, rho, ...v], _trace, count) => {
    const size = p!.square().sum().sqrt().div(count.cast(p!.type).sqrt()).maximum(least!);
    const update = moment(v, eps!).rsqrt().mul(g!);
    const mean = update.square().sum().sqrt().div(count.cast(p!.type).sqrt().mul(d!));
    return [size.mul(rho!).div(mean.maximum(1))];
  },
};

const move: Traced = {
  name: "Adafactor",
  key: "Adafactor move",
  dtype: computed,
  body: ([p, g, eps, decay, step, ...v]) => [p!.mul(decay!).sub(moment(v, eps!).rsqrt().mul(g!).mul(step!))],
};

/**
 * Adam without a first moment, with the second moment of a matrix kept as one average per row and one per column, and steps
 * relative to the size of the parameter. Shazeer & Stern 2018, arXiv:1804.04235; torch.optim.Adafactor.
 */
export class Adafactor extends SingleOptimizer<AdafactorOptions> {
  protected override describe() {
    return {
      name: "Adafactor",
      options: {
        lr: number(1e-2, nonNegative),
        beta2Decay: number(-0.8, atMostZero),
        eps: epsPair,
        d: number(1, oneAndMore),
        weightDecay: number(0, nonNegative),
        maximize: flag(false),
      },
      flags: ["foreach"] as const,
    };
  }
  protected override stateShape(key: string, { shape }: Tensor) {
    const [row, column] = [shape.length - 1, shape.length - 2];
    const dropped = { row_var: row, col_var: column }[key];
    return shape.map((extent, axis) => (axis === dropped ? 1 : extent));
  }
  protected override stateKeys(_group: object, { ndim }: Tensor) {
    return { tensors: ndim > 1 ? ["row_var", "col_var"] : ["variance"], numbers: ["step"] };
  }

  protected override update(): void {
    this.checkStep();
    for (const group of this.paramGroups) {
      for (const p of group.params) if (p.grad !== null) this.#step(p.detach(), p, p.grad.detach(), group);
    }
  }

  #step(p: Tensor, key: Tensor, g: Tensor, group: ParamGroup<AdafactorOptions>): void {
    const { lr, beta2Decay, d, weightDecay, maximize } = group;
    const eps = group.eps[0] ?? (machineEpsilon[p.dtype] as number);
    const state = this.#stateOf(key);
    const t = (state.step as number) + 1;
    state.step = t;
    if (p.size === 0) return;
    const v = this.#moments(p, g, state, t ** beta2Decay);
    const rho = Math.min(lr, 1 / Math.sqrt(t)) * (maximize ? -1 : 1);
    const dims = [...p.shape.keys()];
    const [step] = runTraced(stepSize, [p, g, eps, group.eps[1], d, rho, ...v], { dims });
    runTraced(move, [p, g, eps, 1 - lr * weightDecay, step as Tensor, ...v], { into: [0] });
    p.storage.version++;
  }

  /** Updates the averages, and gives what `moment` takes. */
  #moments(p: Tensor, g: Tensor, state: Record<string, unknown>, weight: number): Tensor[] {
    const { row_var: rows, col_var: columns, variance } = state as Record<string, Tensor | undefined>;
    const last = p.ndim - 1;
    if (variance) return runTraced(average, [variance, g, weight], { into: [0] });
    runTraced(averageRow, [rows!, g, weight], { into: [0], dims: [last] });
    runTraced(averageRow, [columns!, g, weight], { into: [0], dims: [last - 1] });
    return [rows!, columns!, ...runTraced(meanRow, [rows!], { dims: [last - 1] })];
  }

  #stateOf(p: Tensor): Record<string, unknown> {
    const known = this.state.get(p);
    if (known && Object.keys(known).length > 0) return known;
    const buffer = (key: string) => stateTensor(p, 0, p.dtype, this.stateShape(key, p));
    const buffers =
      p.ndim > 1 ? { row_var: buffer("row_var"), col_var: buffer("col_var") } : { variance: buffer("variance") };
    const made = { step: 0, ...buffers };
    this.state.set(p, made);
    return made;
  }
}
