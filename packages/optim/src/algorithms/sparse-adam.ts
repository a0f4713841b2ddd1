import { lerpValues as lerp } from "@descent/tensor";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { flag, hyper, number, type Pair, pair, positive, unit } from "../core/options.ts";
import type { Rule } from "../core/rule.ts";

export interface SparseAdamOptions {
  /** Above 0. Default: 1e-3. */
  lr: number;
  /** Decay of the averages of the gradient and of its square, each in [0, 1). Default: [0.9, 0.999]. */
  betas: Pair;
  /** Added to the root of the second moment; above 0. Default: 1e-8. */
  eps: number;
  /** Ascend instead of descend. Default: false. */
  maximize: boolean;
}

type Buffer = "exp_avg" | "exp_avg_sq";

/**
 * Adam for sparse gradients: only rows that a gradient touches move, and only their moments. Steps are counted for the whole
 * parameter. Kingma & Ba 2015, arXiv:1412.6980; torch.optim.SparseAdam.
 */
export class SparseAdam extends ElementwiseOptimizer<SparseAdamOptions, Buffer> {
  protected override describe() {
    return {
      name: "SparseAdam",
      options: {
        lr: hyper(1e-3, positive),
        betas: pair([0.9, 0.999], unit),
        eps: number(1e-8, positive),
        maximize: flag(false),
      },
    };
  }
  protected override gradients() {
    return "sparse" as const;
  }
  protected override buffers() {
    return { exp_avg: 0, exp_avg_sq: 0 };
  }
  protected rule({ p, g, s, h, c }: Rule<SparseAdamOptions, Buffer>) {
    const [beta1, beta2] = h.betas;
    const m = lerp(s.exp_avg, g, beta1.complement());
    const v = lerp(s.exp_avg_sq, g.mul(g), beta2.complement());
    const stepSize = h.lr.mul(beta2.pow(c.t).complement().sqrt()).div(beta1.pow(c.t).complement());
    return { p: p.sub(m.div(v.sqrt().add(h.eps)).mul(stepSize)), exp_avg: m, exp_avg_sq: v };
  }
}
