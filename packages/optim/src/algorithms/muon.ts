import { DescentError, lerpValues as lerp, runTraced, type Tensor, type Traced } from "@descent/tensor";

import { choice, finite, flag, natural, nonNegative, number, type Option } from "../core/options.ts";
import type { ParamGroup } from "../core/param-groups.ts";
import { type Place, SingleOptimizer } from "../core/single-optimizer.ts";
import { stateTensor } from "../core/state-dict.ts";

export interface MuonOptions {
  /** Default: 1e-3. */
  lr: number;
  /** The parameter shrinks by lr · weightDecay. Default: 0.1. */
  weightDecay: number;
  /** Decay of the averaged gradient. Default: 0.95. */
  momentum: number;
  /** Mix the gradient once more into its average. Default: true. */
  nesterov: boolean;
  /** a, b, c of the iteration X ← aX + (bA + cA²)X with A = XXᵀ. Default: [3.4445, −4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** Least norm that the iteration divides by. Default: 1e-7. */
  eps: number;
  /** Iterations, below 100. Default: 5. */
  nsSteps: number;
  /** Factor of lr: √max(1, rows/columns) for "original" and null, 0.2·√max(rows, columns) for "match_rms_adamw". Default: null. */
  adjustLrFn: "original" | "match_rms_adamw" | null;
}

const coefficients: Option<MuonOptions["nsCoefficients"]> = {
  default: [3.4445, -4.775, 2.0315],
  expected: "three finite numbers",
  accepts: (x) => Array.isArray(x) && x.length === 3 && x.every((c) => Number.isFinite(c)),
};

const momentumSpec = (nesterov: boolean, half: boolean): Traced => ({
  name: "Muon",
  key: `Muon momentum ${nesterov} ${half}`,
  dtype: ([buffer]) => (buffer as Tensor).dtype,
  outputs: (computed) => [computed, half ? "bfloat16" : computed],
  body: ([buffer, g, momentum]) => {
    const average = lerp(buffer!, g!, momentum!.complement());
    return [average, nesterov ? lerp(g!, average, momentum!) : average];
  },
});

/** max(‖x‖, ε) over all elements, rounded as x is: the iteration is sensitive to it. */
const length: Traced = {
  name: "Muon",
  key: "Muon length",
  dtype: ([x]) => (x as Tensor).dtype,
  perRow: [true],
  body: ([x, eps]) => [x!.square().sum().sqrt().maximum(eps!)],
};

const apply: Traced = {
  name: "Muon",
  key: "Muon apply",
  dtype: ([p]) => (p as Tensor).dtype,
  body: ([p, update, decay, lr]) => [p!.mul(decay!).sub(update!.mul(lr!))],
};

/**
 * The nearest matrix with orthonormal rows or columns, roughly: a quintic Newton–Schulz iteration that pushes all singular values
 * towards 1.
 */
function orthogonalized(update: Tensor, { nsCoefficients: [a, b, c], nsSteps, eps }: MuonOptions): Tensor {
  const [rows, columns] = update.shape as [number, number];
  const wide = rows > columns ? update.transpose(0, 1) : update;
  let x = wide.div(runTraced(length, [wide, eps], { dims: [0, 1] })[0] as Tensor);
  for (let i = 0; i < nsSteps; i++) {
    const gram = x.matmul(x.transpose(0, 1));
    x = x.addmm(gram.addmm(gram, gram, { beta: b, alpha: c }), x, { beta: a });
  }
  return rows > columns ? x.transpose(0, 1) : x;
}

/**
 * Momentum whose matrix is orthogonalised before it is applied; for hidden matrices only (`partition` routes the rest).
 * Jordan et al. 2024, kellerjordan.github.io/posts/muon; torch.optim.Muon. The iteration runs in bfloat16 where the backend has it.
 */
export class Muon extends SingleOptimizer<MuonOptions> {
  protected override describe() {
    return {
      name: "Muon",
      options: {
        lr: number(1e-3, nonNegative),
        weightDecay: number(0.1, nonNegative),
        momentum: number(0.95, nonNegative),
        nesterov: flag(true),
        nsCoefficients: coefficients,
        eps: number(1e-7, finite),
        nsSteps: number(5, [`${natural[0]} and below 100`, (x) => natural[1](x) && x < 100]),
        adjustLrFn: choice<MuonOptions["adjustLrFn"]>(null, [null, "original", "match_rms_adamw"]),
      },
    };
  }
  protected override checkParams(params: readonly Tensor[], place: Place) {
    params.forEach(({ shape }, parameter) => {
      if (shape.length === 2) return;
      const hint = "Route other parameters to another optimizer: partition(model, …).";
      throw new DescentError("shape", "Muon", "a parameter is no matrix", { shape, parameter, ...place }, hint);
    });
  }
  protected override stateKeys() {
    return { tensors: ["momentum_buffer"], numbers: [] };
  }

  protected override update(): void {
    this.checkStep();
    for (const group of this.paramGroups) {
      for (const p of group.params) if (p.grad !== null) this.#step(p, p.grad.detach(), group);
    }
  }

  #step(p: Tensor, g: Tensor, group: ParamGroup<MuonOptions>): void {
    const { lr, weightDecay, momentum, nesterov, adjustLrFn } = group;
    let state = this.state.get(p);
    if (!state?.momentum_buffer) {
      state = { momentum_buffer: stateTensor(p, 0) };
      this.state.set(p, state);
    }
    if (p.size === 0) return;
    const buffer = state.momentum_buffer as Tensor;
    const half = p.backend.limits.dtypes.includes("bfloat16");
    const [, update] = runTraced(momentumSpec(nesterov, half), [buffer, g, momentum], { into: [0, null] });
    const [rows, columns] = p.shape as [number, number];
    const factor =
      adjustLrFn === "match_rms_adamw"
        ? 0.2 * Math.sqrt(Math.max(rows, columns))
        : Math.sqrt(Math.max(1, rows / columns));
    const direction = orthogonalized(update as Tensor, group);
    runTraced(apply, [p.detach(), direction, 1 - lr * weightDecay, lr * factor], { into: [0] });
    p.storage.version++;
    buffer.storage.version++;
  }
}
