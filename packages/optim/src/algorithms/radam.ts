import { lerpValues as lerp } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { flag, hyper, nonNegative, number, type Pair, pair, unit } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";

export interface RAdamOptions extends Common {
  /** Default: 1e-3. */
  lr: number;
  /** Decay of the averages of the gradient and of its square, each in [0, 1). Default: [0.9, 0.999]. */
  betas: Pair;
  /** Added to the root of the second moment. Default: 1e-8. */
  eps: number;
  /** L2 penalty, or with decoupledWeightDecay the relative decay per lr. Default: 0. */
  weightDecay: number;
  /** Decay the parameter itself, as AdamW does. Default: false. */
  decoupledWeightDecay: boolean;
}

type Buffer = "exp_avg" | "exp_avg_sq";

/**
 * Adam that divides by the second moment only once enough gradients were seen to trust it (with β₂ = 0.999 from step 6 on).
 * Liu et al. 2020, arXiv:1908.03265; torch.optim.RAdam.
 */
export class RAdam extends ElementwiseOptimizer<RAdamOptions, Buffer> {
  protected override describe() {
    return {
      name: "RAdam",
      options: {
        lr: hyper(1e-3, nonNegative),
        betas: pair([0.9, 0.999], unit),
        eps: number(1e-8, nonNegative),
        weightDecay: hyper(0, nonNegative),
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
  protected rule(x: Rule<RAdamOptions, Buffer>) {
    const { s, h, c, o } = x;
    const [beta1, beta2] = h.betas;
    const decoupled = o.weightDecay && o.decoupledWeightDecay;
    const p = decoupled ? x.p.mul(h.lr.mul(h.weightDecay).complement()) : x.p;
    const g = decoupled ? x.g : decayed(x);
    const m = lerp(s.exp_avg, g, beta1.complement());
    const v = s.exp_avg_sq.mul(beta2).add(g.mul(beta2.complement()).mul(g));
    const c2 = beta2.pow(c.t).complement();
    // Length of the simple average that has the variance of this one, in the limit and now.
    const limit = beta2.complement().reciprocal().mul(2).sub(1);
    const length = limit.sub(c.t.mul(2).mul(beta2.pow(c.t)).div(c2));
    const trusted = length.gt(5);
    const above = length.sub(4).mul(length.sub(2)).mul(limit);
    const rectification = above.div(limit.sub(4).mul(limit.sub(2)).mul(length)).sqrt();
    const root = trusted.select(v, 1).sqrt().add(h.eps); // not of v where it is unused: at 0 the root has no derivative
    const scale = trusted.select(root.reciprocal().mul(c2.sqrt()).mul(rectification), 1);
    const step = m.div(beta1.pow(c.t).complement()).mul(h.lr);
    return { p: p.sub(step.mul(scale)), exp_avg: m, exp_avg_sq: v };
  }
}
