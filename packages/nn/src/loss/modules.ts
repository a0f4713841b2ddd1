import { checkOptions, Tensor } from "@descent/tensor";
import { Module } from "../module.ts";
import { Buffer } from "../parameter.ts";
import { crossEntropy, nllLoss } from "./cross-entropy.ts";
import { binaryCrossEntropy, binaryCrossEntropyWithLogits, klDiv } from "./probability.ts";
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "./regression.ts";

type Loss<O extends object> = (input: Tensor, target: Tensor, options?: O) => Tensor;

/** The class of a module that computes a loss; its options are the function's. */
export type LossClass<O extends object> = new (options?: O) => Module<[input: Tensor, target: Tensor]>;

/** Options that are tensors become buffers, as in PyTorch: they move with the module, and are saved. */
function lossModule<O extends object>(
  name: string,
  loss: Loss<O>,
  options: readonly (keyof O & string)[],
): LossClass<O> {
  const kind = class extends Module<[input: Tensor, target: Tensor]> {
    readonly #options: O;

    constructor(given: O = {} as O) {
      super();
      checkOptions(name, given, options);
      const entries = Object.entries(given);
      this.#options = Object.fromEntries(entries.filter(([, value]) => !(value instanceof Tensor))) as O;
      for (const [key, value] of entries)
        if (value instanceof Tensor) Object.assign(this, { [key]: new Buffer(value) });
    }

    override forward(input: Tensor, target: Tensor): Tensor {
      return loss(input, target, { ...this.#options, ...Object.fromEntries(this.members()) });
    }
    protected override stateName(property: string): string {
      return property === "posWeight" ? "pos_weight" : property;
    }
    protected override extraRepr(): string {
      return Object.entries(this.#options)
        .map(([key, value]) => `${key}=${value}`)
        .join(", ");
    }
  };
  Object.defineProperty(kind, "name", { value: name });
  return kind;
}

// Each is the module of the function beside it, with its options; see there, and torch.nn. Bundlers drop what is not used.

const classes = ["weight", "ignoreIndex", "reduction"] as const;

export const CrossEntropyLoss = /* @__PURE__ */ lossModule("CrossEntropyLoss", crossEntropy, [
  ...classes,
  "labelSmoothing",
]);
export const NLLLoss = /* @__PURE__ */ lossModule("NLLLoss", nllLoss, classes);
export const MSELoss = /* @__PURE__ */ lossModule("MSELoss", mseLoss, ["reduction"]);
export const L1Loss = /* @__PURE__ */ lossModule("L1Loss", l1Loss, ["reduction"]);
export const SmoothL1Loss = /* @__PURE__ */ lossModule("SmoothL1Loss", smoothL1Loss, ["beta", "reduction"]);
export const HuberLoss = /* @__PURE__ */ lossModule("HuberLoss", huberLoss, ["delta", "reduction"]);
export const BCELoss = /* @__PURE__ */ lossModule("BCELoss", binaryCrossEntropy, ["weight", "reduction"]);
export const BCEWithLogitsLoss = /* @__PURE__ */ lossModule("BCEWithLogitsLoss", binaryCrossEntropyWithLogits, [
  "weight",
  "posWeight",
  "reduction",
]);
export const KLDivLoss = /* @__PURE__ */ lossModule("KLDivLoss", klDiv, ["logTarget", "reduction"]);
