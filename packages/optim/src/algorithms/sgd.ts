import { DescentError } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { decayed, ElementwiseOptimizer, type Rule } from "../core/elementwise-optimizer.ts";
import type { Place } from "../core/optimizer.ts";
import { finite, flag, hyper, nonNegative, number } from "../core/options.ts";

export interface SGDOptions extends Common {
  /** Default: 1e-3. */
  lr: number;
  /** Factor of the velocity; 0 keeps none. Default: 0. */
  momentum: number;
  /** The gradient enters the velocity times 1 − dampening, from its second step on. Default: 0. */
  dampening: number;
  /** L2 penalty. Default: 0. */
  weightDecay: number;
  /** Look ahead along the velocity; needs momentum and no dampening. Default: false. */
  nesterov: boolean;
}

/**
 * Stochastic gradient descent, with momentum: v ← μv + (1 − τ)g, p ← p − lr·v; torch.optim.SGD.
 * Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
 *
 * @example
 * const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
 */
export class SGD extends ElementwiseOptimizer<SGDOptions, "momentum_buffer", "fresh"> {
  protected override describe() {
    return {
      name: "SGD",
      options: {
        lr: hyper(1e-3, nonNegative),
        momentum: number(0, nonNegative),
        dampening: number(0, finite),
        weightDecay: hyper(0, nonNegative),
        nesterov: flag(false),
        ...common(),
      },
      flags: ["foreach", "fused"] as const,
    };
  }
  protected override checkGroup({ nesterov, momentum, dampening }: SGDOptions, place: Place) {
    if (!nesterov || (momentum !== 0 && dampening === 0)) return;
    const facts = { momentum, dampening, ...place };
    throw new DescentError("argument", "SGD", "nesterov needs momentum and no dampening", facts);
  }
  protected override switches() {
    return ["weightDecay", "momentum"] as const;
  }
  protected override buffers({ momentum }: SGDOptions) {
    return momentum === 0 ? {} : { momentum_buffer: 0 };
  }
  protected override counters() {
    return [];
  }
  /** The first gradient of a parameter becomes its velocity undampened. */
  protected override advance(_state: object, _group: SGDOptions, fresh: boolean) {
    return { fresh: fresh ? 1 : 0 };
  }
  protected rule(x: Rule<SGDOptions, "momentum_buffer", "fresh">) {
    const { p, s, h, c, o } = x;
    const g = decayed(x);
    if (!o.momentum) return { p: p.sub(g.mul(h.lr)) };
    const weight = h.dampening.mul(c.fresh.complement()).complement();
    const v = s.momentum_buffer.mul(h.momentum).add(g.mul(weight));
    return { p: p.sub((o.nesterov ? g.add(v.mul(h.momentum)) : v).mul(h.lr)), momentum_buffer: v };
  }
}
