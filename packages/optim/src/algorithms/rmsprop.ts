import { lerpValues as lerp } from "@descent/tensor";
import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { flag, hyper, nonNegative, number } from "../core/options.ts";
import { decayed, type Rule } from "../core/rule.ts";

export interface RMSpropOptions extends Common {
  /** Default: 1e-2. */
  lr: number;
  /** Decay of the averages. Default: 0.99. */
  alpha: number;
  /** Added to the root. Default: 1e-8. */
  eps: number;
  /** L2 penalty. Default: 0. */
  weightDecay: number;
  /** Factor of the velocity; 0 keeps none. Default: 0. */
  momentum: number;
  /** Divide by the deviation of the gradient rather than by its size. Default: false. */
  centered: boolean;
}

type Buffer = "square_avg" | "momentum_buffer" | "grad_avg";

/**
 * Divides by the root of a decaying average of squared gradients. Tieleman & Hinton 2012, lecture 6.5; the centered form is
 * Graves 2013, arXiv:1308.0850; torch.optim.RMSprop. The centered variance is kept from falling below 0 by rounding.
 */
export class RMSprop extends ElementwiseOptimizer<RMSpropOptions, Buffer> {
  protected override describe() {
    return {
      name: "RMSprop",
      options: {
        lr: hyper(1e-2, nonNegative),
        alpha: number(0.99, nonNegative),
        eps: number(1e-8, nonNegative),
        weightDecay: hyper(0, nonNegative),
        momentum: number(0, nonNegative),
        centered: flag(false),
        ...common(),
      },
      flags: ["foreach", "capturable"] as const,
    };
  }
  protected override switches() {
    return ["weightDecay", "momentum"] as const;
  }
  protected override buffers({ momentum, centered }: RMSpropOptions) {
    return { square_avg: 0, ...(momentum !== 0 && { momentum_buffer: 0 }), ...(centered && { grad_avg: 0 }) };
  }
  protected rule(x: Rule<RMSpropOptions, Buffer>) {
    const { p, s, h, o } = x;
    const g = decayed(x);
    const rest = h.alpha.complement();
    const v = s.square_avg.mul(h.alpha).add(g.mul(rest).mul(g));
    const mean = o.centered ? lerp(s.grad_avg, g, rest) : s.grad_avg;
    const variance = o.centered ? v.sub(mean.mul(mean)).maximum(0) : v;
    const root = variance.sqrt().add(h.eps);
    if (!o.momentum) return { p: p.sub(g.mul(h.lr).div(root)), square_avg: v, grad_avg: mean };
    const velocity = s.momentum_buffer.mul(h.momentum).add(g.div(root));
    return { p: p.sub(velocity.mul(h.lr)), square_avg: v, momentum_buffer: velocity, grad_avg: mean };
  }
}
