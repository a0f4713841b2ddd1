import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import type { Given } from "../core/options.ts";
import { hyper, nonNegative, number } from "../core/options.ts";
import type { GivenGroup } from "../core/param-groups.ts";
import { decayed, type Rule } from "../core/rule.ts";
import { stateTensor } from "../core/state-dict.ts";

export interface AdagradOptions extends Common {
  /** Default: 1e-2. */
  lr: number;
  /** lr is divided by 1 + (t − 1)·lrDecay. Default: 0. */
  lrDecay: number;
  /** Added to the root. Default: 1e-10. */
  eps: number;
  /** L2 penalty; not with sparse gradients. Default: 0. */
  weightDecay: number;
  /** What the sums of squares begin with. Default: 0. */
  initialAccumulatorValue: number;
}

/**
 * Divides by the root of all squared gradients so far: p ← p − lr·g/(√Σg² + ε).
 * Duchi, Hazan & Singer 2011, JMLR 12; torch.optim.Adagrad. Its state exists from the start.
 */
export class Adagrad extends ElementwiseOptimizer<AdagradOptions, "sum"> {
  protected override describe() {
    return {
      name: "Adagrad",
      options: {
        lr: hyper(1e-2, nonNegative),
        lrDecay: number(0, nonNegative),
        eps: number(1e-10, nonNegative),
        weightDecay: hyper(0, nonNegative),
        initialAccumulatorValue: number(0, nonNegative),
        ...common(),
      },
      flags: ["foreach", "fused"] as const,
    };
  }
  override addParamGroup(group: GivenGroup<Given<AdagradOptions>>): void {
    super.addParamGroup(group);
    const { params, stateDtype, initialAccumulatorValue } = this.paramGroups.at(-1)!;
    for (const p of params)
      this.state.set(p, { step: 0, sum: stateTensor(p, initialAccumulatorValue, stateDtype ?? p.dtype) });
  }
  protected override gradients() {
    return "both" as const;
  }
  protected override switches() {
    return ["weightDecay"] as const;
  }
  protected override buffers({ initialAccumulatorValue }: AdagradOptions) {
    return { sum: initialAccumulatorValue };
  }
  protected rule(x: Rule<AdagradOptions, "sum">) {
    const { p, s, h, c } = x;
    const g = decayed(x);
    const lr = h.lr.div(c.t.sub(1).mul(h.lrDecay).add(1));
    const sum = s.sum.add(g.mul(g));
    return { p: p.sub(g.mul(lr).div(sum.sqrt().add(h.eps))), sum };
  }
}
