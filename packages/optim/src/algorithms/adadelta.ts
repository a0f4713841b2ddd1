import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { fraction, hyper, nonNegative, number } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";

export interface AdadeltaOptions extends Common {
  /** Factor of each step. Default: 1. */
  lr: number;
  /** Decay of both averages, from 0 to 1. Default: 0.9. */
  rho: number;
  /** Added inside both roots. Default: 1e-6. */
  eps: number;
  /** L2 penalty. Default: 0. */
  weightDecay: number;
}

type Buffer = "square_avg" | "acc_delta";

/**
 * Steps in the units of the parameter: Δ = √(a + ε)/√(v + ε)·g, with a the average of Δ² so far and v that of g².
 * Zeiler 2012, arXiv:1212.5701; torch.optim.Adadelta.
 */
export class Adadelta extends ElementwiseOptimizer<AdadeltaOptions, Buffer> {
  protected override describe() {
    return {
      name: "Adadelta",
      options: {
        lr: hyper(1, nonNegative),
        rho: number(0.9, fraction),
        eps: number(1e-6, nonNegative),
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
    return { square_avg: 0, acc_delta: 0 };
  }
  protected rule(x: Rule<AdadeltaOptions, Buffer>) {
    const { p, s, h } = x;
    const g = decayed(x);
    const v = s.square_avg.mul(h.rho).add(g.mul(h.rho.complement()).mul(g));
    const delta = s.acc_delta.add(h.eps).sqrt().div(v.add(h.eps).sqrt()).mul(g);
    const a = s.acc_delta.mul(h.rho).add(delta.mul(h.rho.complement()).mul(delta));
    return { p: p.sub(delta.mul(h.lr)), square_avg: v, acc_delta: a };
  }
}
