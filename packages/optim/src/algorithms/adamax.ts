import { lerpValues as lerp } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { hyper, nonNegative, number, type Pair, pair, unit } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";

export interface AdamaxOptions extends Common {
  /** Default: 2e-3. */
  lr: number;
  /** Decay of the averaged gradient and of the largest gradient, each in [0, 1). Default: [0.9, 0.999]. */
  betas: Pair;
  /** Added to the size of each gradient. Default: 1e-8. */
  eps: number;
  /** L2 penalty. Default: 0. */
  weightDecay: number;
}

type Buffer = "exp_avg" | "exp_inf";

/**
 * Adam with the infinity norm: u ← max(β₂u, |g| + ε), p ← p − lr·m̂/u. Kingma & Ba 2015, arXiv:1412.6980, section 7.1;
 * torch.optim.Adamax.
 */
export class Adamax extends ElementwiseOptimizer<AdamaxOptions, Buffer> {
  protected override describe() {
    return {
      name: "Adamax",
      options: {
        lr: hyper(2e-3, nonNegative),
        betas: pair([0.9, 0.999], unit),
        eps: number(1e-8, nonNegative),
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
    return { exp_avg: 0, exp_inf: 0 };
  }
  protected rule(x: Rule<AdamaxOptions, Buffer>) {
    const { p, s, h, c } = x;
    const [beta1, beta2] = h.betas;
    const g = decayed(x);
    const m = lerp(s.exp_avg, g, beta1.complement());
    const u = s.exp_inf.mul(beta2).maximum(g.abs().add(h.eps));
    const stepSize = h.lr.div(beta1.pow(c.t).complement());
    return { p: p.sub(m.mul(stepSize).div(u)), exp_avg: m, exp_inf: u };
  }
}
