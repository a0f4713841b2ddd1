import { DescentError, SparseTensor, Tensor } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { keep } from "../core/keep.ts";
import { finite, flag, hyper, nonNegative, number } from "../core/options.ts";
import { overwrite } from "../core/overwrite.ts";
import type { ParamGroup } from "../core/param-groups.ts";
import { decayed, type Rule } from "../core/rule.ts";
import type { Place } from "../core/single-optimizer.ts";

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
  protected override gradients() {
    return "both" as const;
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
  /** The velocity of sparse gradients is sparse too: it moves the rows that were ever touched. */
  protected override updateSparse(p: Tensor, given: SparseTensor, group: ParamGroup<SGDOptions>): void {
    const { lr, momentum, dampening, nesterov, maximize } = group;
    const g = maximize ? given.scaled(-1) : given;
    const state = this.state.get(p) ?? {};
    const last = state.momentum_buffer;
    if (last instanceof Tensor && !(last instanceof SparseTensor)) {
      overwrite(last, g.scaled(1 - dampening).addTo(last.mul(momentum)));
      g.addTo(p.detach(), nesterov ? -lr : 0);
      overwrite(p.detach(), p.detach().sub(last.mul(nesterov ? lr * momentum : lr)));
      return;
    }
    if (momentum === 0) {
      g.addTo(p.detach(), -lr);
      return;
    }
    const v = last instanceof SparseTensor ? last.scaled(momentum).plus(g.scaled(1 - dampening)) : g;
    const velocity = keep((v as SparseTensor).coalesce(), last as SparseTensor | undefined);
    this.state.set(p, { ...state, momentum_buffer: velocity });
    velocity.addTo(p.detach(), nesterov ? -lr * momentum : -lr);
    if (nesterov) g.addTo(p.detach(), -lr);
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
