import { type Activation, checkOptions, logSoftmax, softmax, type Tensor } from "@descent/tensor";
import { type Activates, activation } from "../fusion.ts";
import { Module } from "../module.ts";

interface Kind<O extends object> {
  readonly defaults: O;
  readonly apply: (x: Tensor, options: O) => Tensor;
  /** The fused form with these options, if there is one. */
  readonly fused?: (options: O) => Activation;
}

/** The class of a module that applies an element-wise function; its options are the function's. */
export type ActivationClass<O extends object> = new (
  options?: Partial<O>,
) => Module & Activates & { readonly options: Readonly<O> };

function activationModule<O extends object>(name: string, { defaults, apply, fused }: Kind<O>): ActivationClass<O> {
  const kind = class extends Module implements Activates {
    readonly options: Readonly<O>;

    constructor(options: Partial<O> = {}) {
      super();
      checkOptions(name, options, Object.keys(defaults));
      this.options = { ...defaults, ...options };
    }

    get [activation](): Activation | null {
      return fused?.(this.options) ?? null;
    }
    override forward(x: Tensor): Tensor {
      return apply(x, this.options);
    }
    protected override extraRepr(): string {
      const shown = Object.entries(this.options).filter(([key, value]) => value !== defaults[key as keyof O]);
      return shown.map(([key, value]) => `${key}=${value}`).join(", ");
    }
  };
  Object.defineProperty(kind, "name", { value: name });
  return kind;
}

const plain = (name: string, apply: (x: Tensor) => Tensor, fused?: Activation) =>
  activationModule(name, { defaults: {}, apply, ...(fused && { fused: () => fused }) });

// Each is the module of the function of the same name, with its options; see there, and torch.nn. Bundlers drop what is not used.

/** max(x, 0). */
export const ReLU = /* @__PURE__ */ plain("ReLU", (x) => x.relu(), "relu");
/** x limited to [0, 6]. */
export const ReLU6 = /* @__PURE__ */ plain("ReLU6", (x) => x.relu6());
/** x σ(x), also called swish. */
export const SiLU = /* @__PURE__ */ plain("SiLU", (x) => x.silu(), "silu");
export const Tanh = /* @__PURE__ */ plain("Tanh", (x) => x.tanh(), "tanh");
/** 1 / (1 + e⁻ˣ). */
export const Sigmoid = /* @__PURE__ */ plain("Sigmoid", (x) => x.sigmoid(), "sigmoid");
/** ln σ(x). */
export const LogSigmoid = /* @__PURE__ */ plain("LogSigmoid", (x) => x.logSigmoid());
export const Hardsigmoid = /* @__PURE__ */ plain("Hardsigmoid", (x) => x.hardsigmoid());
export const Hardswish = /* @__PURE__ */ plain("Hardswish", (x) => x.hardswish());
export const Softsign = /* @__PURE__ */ plain("Softsign", (x) => x.softsign());
export const Tanhshrink = /* @__PURE__ */ plain("Tanhshrink", (x) => x.tanhshrink());
export const Mish = /* @__PURE__ */ plain("Mish", (x) => x.mish());
export const SELU = /* @__PURE__ */ plain("SELU", (x) => x.selu());

/** x Φ(x); `approximate: "tanh"` is cheaper and off by less than 0.001. */
export const GELU = /* @__PURE__ */ activationModule("GELU", {
  defaults: { approximate: "none" as "none" | "tanh" },
  apply: (x, options) => x.gelu(options),
  fused: ({ approximate }) => (approximate === "tanh" ? "geluTanh" : "gelu"),
});
/** x where positive, negativeSlope · x elsewhere. */
export const LeakyReLU = /* @__PURE__ */ activationModule("LeakyReLU", {
  defaults: { negativeSlope: 0.01 },
  apply: (x, options) => x.leakyRelu(options),
});
/** x where positive, α(eˣ − 1) elsewhere. */
export const ELU = /* @__PURE__ */ activationModule("ELU", {
  defaults: { alpha: 1 },
  apply: (x, options) => x.elu(options),
});
/** x where positive, α(e^(x/α) − 1) elsewhere. */
export const CELU = /* @__PURE__ */ activationModule("CELU", {
  defaults: { alpha: 1 },
  apply: (x, options) => x.celu(options),
});
/** ln(1 + e^(βx)) / β, and x where βx exceeds the threshold. */
export const Softplus = /* @__PURE__ */ activationModule("Softplus", {
  defaults: { beta: 1, threshold: 20 },
  apply: (x, options) => x.softplus(options),
});
/** x limited to [minVal, maxVal]. */
export const Hardtanh = /* @__PURE__ */ activationModule("Hardtanh", {
  defaults: { minVal: -1, maxVal: 1 },
  apply: (x, options) => x.hardtanh(options),
});
/** 0 within [−lambd, lambd], x elsewhere. */
export const Hardshrink = /* @__PURE__ */ activationModule("Hardshrink", {
  defaults: { lambd: 0.5 },
  apply: (x, options) => x.hardshrink(options),
});
/** x moved towards 0 by lambd, and not across it. */
export const Softshrink = /* @__PURE__ */ activationModule("Softshrink", {
  defaults: { lambd: 0.5 },
  apply: (x, options) => x.softshrink(options),
});

/** A module that works along one axis. */
abstract class AlongAxis extends Module {
  readonly dim: number;
  /** @param dim the axis; negative ones count from the end */
  constructor(dim: number) {
    super();
    this.dim = dim;
  }
  protected override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** exp(x) / Σ exp(x) along an axis, in one launch (torch.nn.Softmax). */
export class Softmax extends AlongAxis {
  override forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }
}

/** ln softmax(x) along an axis, in one launch (torch.nn.LogSoftmax). */
export class LogSoftmax extends AlongAxis {
  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }
}
