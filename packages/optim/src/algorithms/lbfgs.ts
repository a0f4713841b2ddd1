import { DescentError, SparseTensor, type Tensor } from "@descent/tensor";
import { drive, lossValue, numbers, type Request } from "../core/drive.ts";
import { keep } from "../core/keep.ts";
import { choice, type Given, natural, nonNegative, number, type Option } from "../core/options.ts";
import { overwrite } from "../core/overwrite.ts";
import type { GivenGroup, Params } from "../core/param-groups.ts";
import { SingleOptimizer } from "../core/single-optimizer.ts";
import { parametersToVector, partOf } from "../utils/vector.ts";
import { change, compute, direct, type Memory, measure, restore, specs } from "./lbfgs-direction.ts";
import { type Point, strongWolfe } from "./strong-wolfe.ts";

export interface LBFGSOptions {
  /** Step length, or first trial of the line search. Default: 1. */
  lr: number;
  /** Iterations per step. Default: 20. */
  maxIter: number;
  /** Evaluations of the closure per step. Default: null, 1.25 · maxIter. */
  maxEval: number | null;
  /** Stop where the largest component of the gradient is at most this. Default: 1e-7. */
  toleranceGrad: number;
  /** Stop where parameters, value or slope change by less than this. Default: 1e-9. */
  toleranceChange: number;
  /** Number of pairs that make up the curvature. Default: 100. */
  historySize: number;
  /** How the step length is found; null: it is lr. Default: null. */
  lineSearchFn: "strong_wolfe" | null;
}

const budget: Option<number | null> = {
  default: null,
  expected: `${natural[0]}, or null`,
  accepts: (x) => x === null || (typeof x === "number" && natural[1](x)),
};

type Closure = () => unknown;

/**
 * Limited-memory BFGS over all parameters as one vector: `step(closure)` runs up to `maxIter` iterations. The closure may be
 * asynchronous; on backends that cannot read at once the step is so in any case: `await optimizer.step(closure)`.
 * Liu & Nocedal 1989; torch.optim.LBFGS.
 *
 * @example
 * const optimizer = new LBFGS([p], { lineSearchFn: "strong_wolfe" });
 * await optimizer.step(() => { optimizer.zeroGrad(); const loss = f(p); loss.backward(); return loss; });
 */
export class LBFGS extends SingleOptimizer<LBFGSOptions> {
  constructor(params: Params | Iterable<GivenGroup<Given<LBFGSOptions>>>, options: Given<LBFGSOptions> = {}) {
    super(params, options);
    for (const group of [this.defaults, ...this.paramGroups]) group.maxEval ??= Math.floor((group.maxIter * 5) / 4);
  }
  protected override describe() {
    return {
      name: "LBFGS",
      options: {
        lr: number(1, nonNegative),
        maxIter: number(20, natural),
        maxEval: budget,
        toleranceGrad: number(1e-7, nonNegative),
        toleranceChange: number(1e-9, nonNegative),
        historySize: number(100, natural),
        lineSearchFn: choice<LBFGSOptions["lineSearchFn"]>(null, [null, "strong_wolfe"]),
      },
    };
  }
  override addParamGroup(group: GivenGroup<Given<LBFGSOptions>>): void {
    if (this.paramGroups.length > 0) {
      const hint = "It sees all parameters as one vector: put them into one group.";
      throw new DescentError("argument", "LBFGS", "takes only one parameter group", {}, hint);
    }
    super.addParamGroup(group);
  }
  protected override checkParams(params: readonly Tensor[]) {
    const [first] = params;
    for (const { dtype, runtime } of params) {
      if (dtype === first?.dtype && runtime === first.runtime) continue;
      throw new DescentError("dtype", "LBFGS", "the parameters differ in dtype or backend", {
        first: first?.dtype,
        other: dtype,
      });
    }
  }
  protected override stateShape() {
    return null;
  }
  override get needsClosure(): boolean {
    return true;
  }
  /** Everything happens in `run`. */
  protected override update(): void {}

  protected override run(closure: Closure | undefined): unknown {
    if (!closure) {
      const hint = "step(() => { optimizer.zeroGrad(); const loss = …; loss.backward(); return loss; })";
      throw new DescentError("argument", "LBFGS.step", "needs a closure that computes the loss", {}, hint);
    }
    this.checkOptions();
    return drive(this.#minimize(closure));
  }

  *#minimize(closure: Closure): Generator<Request, unknown, unknown> {
    const [group] = this.paramGroups as [(typeof this.paramGroups)[0]];
    const { lr, maxIter, toleranceGrad, toleranceChange, historySize, lineSearchFn } = group;
    const maxEval = group.maxEval as number;
    const first = group.params[0] as Tensor;
    const state = (this.state.get(first) ?? {}) as Partial<Memory>;
    this.state.set(first, state as Record<string, unknown>);
    yield* restore(state);
    const original = yield closure;
    let loss = yield* lossValue(original);
    let gradient = this.#gradient(group.params);
    state.func_evals = (state.func_evals ?? 0) + 1;
    state.n_iter ??= 0;
    let evaluations = 1;
    let [largest = 0] = yield* numbers(measure(specs.largest, gradient));
    if (largest <= toleranceGrad) return original;
    for (let n = 1; n <= maxIter; n++) {
      state.n_iter++;
      yield* direct(state, gradient, historySize);
      state.prev_flat_grad = keep(compute(specs.scale, gradient, 1), state.prev_flat_grad);
      state.prev_loss = loss;
      const d = state.d as Tensor;
      const readings = yield* numbers(
        measure(specs.dot, gradient, d),
        measure(specs.total, gradient),
        measure(specs.largest, d),
      );
      const [slope, total, length] = readings as [number, number, number];
      state.t = state.n_iter === 1 ? Math.min(1, 1 / total) * lr : lr;
      if (slope > -toleranceChange) break;
      let used = 0;
      if (lineSearchFn === "strong_wolfe") {
        const origin = parametersToVector(group.params);
        const evaluate = (t: number) => this.#evaluate(closure, group.params, origin, d, t);
        const start = { t: 0, f: loss, g: gradient, slope };
        const found = yield* strongWolfe(evaluate, start, state.t, { length, budget: maxEval - evaluations });
        state.t = found.point.t;
        loss = found.point.f;
        gradient = found.point.g;
        used = found.evaluations;
        this.#move(group.params, d, state.t);
        [largest = 0] = yield* numbers(measure(specs.largest, gradient));
      } else {
        this.#move(group.params, d, state.t);
        if (n !== maxIter) {
          loss = yield* lossValue(yield closure);
          gradient = this.#gradient(group.params);
          [largest = 0] = yield* numbers(measure(specs.largest, gradient));
          used = 1;
        }
      }
      evaluations += used;
      state.func_evals += used;
      if (evaluations >= maxEval || largest <= toleranceGrad) break;
      if (length * state.t <= toleranceChange || Math.abs(loss - state.prev_loss) < toleranceChange) break;
    }
    return original;
  }

  /** Value and slope a distance `t` along `d` from `origin`, where the parameters are put back. */
  *#evaluate(
    closure: Closure,
    params: readonly Tensor[],
    origin: Tensor,
    d: Tensor,
    t: number,
  ): Generator<Request, Point<Tensor>, unknown> {
    this.#move(params, d, t);
    const f = yield* lossValue(yield closure);
    const g = this.#gradient(params);
    let offset = 0;
    for (const p of params) {
      overwrite(p.detach(), partOf(origin, offset, p));
      offset += p.size;
    }
    const [slope = 0] = yield* numbers(measure(specs.dot, g, d));
    return { t, f, g, slope };
  }

  #move(params: readonly Tensor[], d: Tensor, t: number): void {
    let offset = 0;
    for (const p of params) {
      if (p.size > 0) change(specs.move, p.detach(), partOf(d, offset, p), t);
      p.storage.version++;
      offset += p.size;
    }
  }

  /** All gradients as one vector; a missing one counts as zeros. */
  #gradient(params: readonly Tensor[]): Tensor {
    return parametersToVector(params, ({ grad }) => (grad instanceof SparseTensor ? grad.toDense() : (grad ?? 0)));
  }
}
