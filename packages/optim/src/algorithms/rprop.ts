import { type Common, common } from "../core/common.ts";
import { ElementwiseOptimizer } from "../core/elementwise-optimizer.ts";
import { aboveOne, belowOne, nonNegative, number, type Pair, pair } from "../core/options.ts";
import type { Rule } from "../core/rule.ts";

export interface RpropOptions extends Common {
  /** The first step size; later changes have no effect. Default: 1e-2. */
  lr: number;
  /** What a step size is multiplied by when the gradient changes sign, and when it keeps it. Default: [0.5, 1.2]. */
  etas: Pair;
  /** Smallest and largest step size. Default: [1e-6, 50]. */
  stepSizes: Pair;
}

type Buffer = "prev" | "step_size";

/**
 * A step size per element, grown while the gradient keeps its sign and cut when it changes; for whole-batch training.
 * Riedmiller & Braun 1993, in the form iRprop− of Igel & Hüsken 2000; torch.optim.Rprop.
 */
export class Rprop extends ElementwiseOptimizer<RpropOptions, Buffer> {
  protected override describe() {
    return {
      name: "Rprop",
      options: {
        lr: number(1e-2, nonNegative),
        etas: pair([0.5, 1.2], belowOne, aboveOne),
        stepSizes: pair([1e-6, 50], nonNegative),
        ...common(),
      },
      flags: ["foreach", "capturable"] as const,
    };
  }
  protected override buffers({ lr }: RpropOptions) {
    return { prev: 0, step_size: lr };
  }
  protected rule({ p, g, s, h }: Rule<RpropOptions, Buffer>) {
    const [shrink, grow] = h.etas;
    const [least, most] = h.stepSizes;
    const agreement = g.mul(s.prev);
    const turned = agreement.lt(0);
    const factor = turned.select(shrink, agreement.gt(0).select(grow, 1, g.type), g.type);
    const size = s.step_size.mul(factor).maximum(least).minimum(most);
    // After a turn the element rests, and the next step sees no sign to compare with.
    const used = turned.select(0, g);
    return { p: p.sub(used.sign().mul(size)), prev: used, step_size: size };
  }
}
