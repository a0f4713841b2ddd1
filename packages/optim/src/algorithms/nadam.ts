import { lerpValues as lerp } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { flag, hyper, nonNegative, number, type Pair, pair, unit } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";
import type { ParamState } from "../core/state-dict.ts";

export interface NAdamOptions extends Common {
  /** Default: 2e-3. */
  lr: number;
  /** Decay of the averages of the gradient and of its square, each in [0, 1). Default: [0.9, 0.999]. */
  betas: Pair;
  /** Added to the root of the corrected second moment. Default: 1e-8. */
  eps: number;
  /** L2 penalty, or with decoupledWeightDecay the relative decay per lr. Default: 0. */
  weightDecay: number;
  /** How fast the momentum μₜ = β₁(1 − ½·0.96^(tψ)) rises to β₁. Default: 4e-3. */
  momentumDecay: number;
  /** Decay the parameter itself, as AdamW does. Default: false. */
  decoupledWeightDecay: boolean;
}

type Buffer = "exp_avg" | "exp_avg_sq";
type Counter = "t" | "mu" | "next" | "product";

/** Adam with Nesterov momentum. Dozat 2016, "Incorporating Nesterov momentum into Adam"; torch.optim.NAdam. */
export class NAdam extends ElementwiseOptimizer<NAdamOptions, Buffer, Counter> {
  protected override describe() {
    return {
      name: "NAdam",
      options: {
        lr: hyper(2e-3, nonNegative),
        betas: pair([0.9, 0.999], unit),
        eps: number(1e-8, nonNegative),
        weightDecay: hyper(0, nonNegative),
        momentumDecay: number(4e-3, nonNegative),
        decoupledWeightDecay: flag(false),
        ...common(),
      },
      flags: ["foreach", "capturable"] as const,
    };
  }
  protected override switches() {
    return ["weightDecay"] as const;
  }
  protected override buffers() {
    return { exp_avg: 0, exp_avg_sq: 0 };
  }
  protected override counters() {
    return ["step", "mu_product"];
  }
  protected override advance(state: ParamState, { betas, momentumDecay }: NAdamOptions) {
    const { step = 0, mu_product = 1 } = state as { step?: number; mu_product?: number };
    const t = step + 1;
    const momentum = (at: number) => betas[0] * (1 - 0.5 * 0.96 ** (at * momentumDecay));
    const [mu, next] = [momentum(t), momentum(t + 1)];
    const product = mu_product * mu;
    Object.assign(state, { step: t, mu_product: product });
    return { t, mu, next, product };
  }
  protected rule(x: Rule<NAdamOptions, Buffer, Counter>) {
    const { s, h, c, o } = x;
    const [beta1, beta2] = h.betas;
    const decoupled = o.weightDecay && o.decoupledWeightDecay;
    const p = decoupled ? x.p.mul(h.lr.mul(h.weightDecay).complement()) : x.p;
    const g = decoupled ? x.g : decayed(x);
    const m = lerp(s.exp_avg, g, beta1.complement());
    const v = s.exp_avg_sq.mul(beta2).add(g.mul(beta2.complement()).mul(g));
    const denominator = v.div(beta2.pow(c.t).complement()).sqrt().add(h.eps);
    const now = h.lr.mul(c.mu.complement()).div(c.product.complement());
    const ahead = h.lr.mul(c.next).div(c.product.mul(c.next).complement());
    const moved = p.sub(g.mul(now).div(denominator)).sub(m.mul(ahead).div(denominator));
    return { p: moved, exp_avg: m, exp_avg_sq: v };
  }
}
