import { lerpValues as lerp } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { fixed, flag, hyper, hyperPair, nonNegative, number, type Pair, unit } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";

export interface AdamOptions extends Common {
  /** Default: 1e-3. */
  lr: number;
  /** Decay of the averages of the gradient and of its square, each in [0, 1). Default: [0.9, 0.999]. */
  betas: Pair;
  /** Added to the root of the corrected second moment. Default: 1e-8. */
  eps: number;
  /** L2 penalty, or with decoupledWeightDecay the relative decay per lr. Default: 0 (AdamW: 1e-2). */
  weightDecay: number;
  /** Divide by the largest second moment so far. Default: false. */
  amsgrad: boolean;
  /** Decay the parameter itself, as AdamW does. Default: false. */
  decoupledWeightDecay: boolean;
}

type Buffer = "exp_avg" | "exp_avg_sq" | "max_exp_avg_sq";

/**
 * Adam: steps of about lr, whatever the size of the gradients. Kingma & Ba 2015, arXiv:1412.6980; torch.optim.Adam.
 *
 * @example
 * const optimizer = new Adam(model.parameters(), { lr: 1e-3, betas: [0.9, 0.99] });
 */
export class Adam extends ElementwiseOptimizer<AdamOptions, Buffer> {
  protected override describe() {
    return {
      name: "Adam",
      options: {
        lr: hyper(1e-3, nonNegative),
        betas: hyperPair([0.9, 0.999], unit),
        eps: number(1e-8, nonNegative),
        weightDecay: hyper(0, nonNegative),
        amsgrad: flag(false),
        decoupledWeightDecay: flag(false),
        ...common(),
      },
      flags: ["foreach", "capturable", "fused"] as const,
    };
  }
  protected override switches() {
    return ["weightDecay"] as const;
  }
  protected override buffers({ amsgrad }: AdamOptions) {
    return { exp_avg: 0, exp_avg_sq: 0, ...(amsgrad && { max_exp_avg_sq: 0 }) };
  }
  protected rule(x: Rule<AdamOptions, Buffer>) {
    const { s, h, c, o } = x;
    const [beta1, beta2] = h.betas;
    const decoupled = o.weightDecay && o.decoupledWeightDecay;
    const p = decoupled ? x.p.mul(h.lr.mul(h.weightDecay).complement()) : x.p;
    const g = decoupled ? x.g : decayed(x);
    const m = lerp(s.exp_avg, g, beta1.complement());
    const v = s.exp_avg_sq.mul(beta2).add(g.mul(beta2.complement()).mul(g));
    const top = o.amsgrad ? s.max_exp_avg_sq.maximum(v) : v;
    const denominator = top.sqrt().div(beta2.pow(c.t).complement().sqrt()).add(h.eps);
    const stepSize = h.lr.div(beta1.pow(c.t).complement());
    return { p: p.sub(m.mul(stepSize).div(denominator)), exp_avg: m, exp_avg_sq: v, max_exp_avg_sq: top };
  }
}

/**
 * Adam with decoupled weight decay: p shrinks by lr · weightDecay beside Adam's step.
 * Loshchilov & Hutter 2019, arXiv:1711.05101; torch.optim.AdamW.
 *
 * @example
 * const optimizer = new AdamW(model.parameters(), { lr: 3e-4, weightDecay: 0.05 });
 */
export class AdamW extends Adam {
  protected override describe() {
    const { options, flags } = super.describe();
    const own = { weightDecay: hyper(1e-2, nonNegative), decoupledWeightDecay: fixed(true) };
    return { name: "AdamW", options: { ...options, ...own }, flags };
  }
}
