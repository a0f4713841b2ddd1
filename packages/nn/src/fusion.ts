import type { Activation, Tensor } from "@descent/tensor";

/** The member of a module that can compute an activation in its own launch. */
export const fusible: unique symbol = Symbol.for("descent.nn.fusible");
/** The member of an activation module that names the function it is. */
export const activation: unique symbol = Symbol.for("descent.nn.activation");

/** A module whose `forward` may end in an activation. `Sequential` fuses it with an activation module that follows. */
export interface Fusible {
  /** `forward`, followed by an activation, in one launch. */
  [fusible](x: Tensor, activation: Activation): Tensor;
}

/** A module that is nothing but an activation. */
export interface Activates {
  /** Its name; null with options that no fused form has. */
  readonly [activation]: Activation | null;
}

export const isFusible = (module: object): module is Fusible => fusible in module;
export const activationOf = (module: object): Activation | null =>
  activation in module ? (module as Activates)[activation] : null;
