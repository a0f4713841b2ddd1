import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { finite, hyper, nonNegative, number } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";
import type { ParamState } from "../core/state-dict.ts";

export interface ASGDOptions extends Common {
  /** Default: 1e-2. */
  lr: number;
  /** Decay of the parameter, and of the step size. Default: 1e-4. */
  lambd: number;
  /** Power of the step size's decay. Default: 0.75. */
  alpha: number;
  /** Step at which averaging begins. Default: 1e6. */
  t0: number;
  /** L2 penalty. Default: 0. */
  weightDecay: number;
}

/**
 * Averaged stochastic gradient descent; the averages are the state `ax`, for the user to copy.
 * Polyak & Juditsky 1992; torch.optim.ASGD. As there, a step uses the step size that the step before computed.
 */
export class ASGD extends ElementwiseOptimizer<ASGDOptions, "ax", "eta" | "mu"> {
  protected override describe() {
    return {
      name: "ASGD",
      options: {
        lr: number(1e-2, nonNegative),
        lambd: number(1e-4, finite),
        alpha: number(0.75, finite),
        t0: number(1e6, finite),
        weightDecay: hyper(0, nonNegative),
        ...common(),
      },
      flags: ["foreach", "capturable"] as const,
    };
  }
  protected override switches() {
    return ["weightDecay"] as const;
  }
  protected override buffers() {
    return { ax: 0 };
  }
  protected override counters() {
    return ["step", "eta", "mu"];
  }
  protected override advance(state: ParamState, { lr, lambd, alpha, t0 }: ASGDOptions) {
    const { step = 0, eta = lr, mu = 1 } = state as { step?: number; eta?: number; mu?: number };
    const t = step + 1;
    Object.assign(state, { step: t, eta: lr / (1 + lambd * lr * t) ** alpha, mu: 1 / Math.max(1, t - t0) });
    return { eta, mu };
  }
  protected rule(x: Rule<ASGDOptions, "ax", "eta" | "mu">) {
    const { s, h, c } = x;
    const g = decayed(x);
    const p = x.p.mul(h.lambd.mul(c.eta).complement()).sub(g.mul(c.eta));
    const ax = c.mu.eq(1).select(p, s.ax.add(p.sub(s.ax).mul(c.mu)));
    return { p, ax };
  }
}
