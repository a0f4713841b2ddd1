import { DescentError, Tensor } from "@descent/tensor";

/** A model, or the pairs that its `namedParameters()` gives. */
export type NamedParameters =
  | { namedParameters(): Iterable<readonly [string, Tensor]> }
  | Iterable<readonly [string, Tensor]>;

/** Picks parameters: by a pattern in the name, by the name or its last part, or by a function. */
export type Match = RegExp | string | ((name: string, p: Tensor) => boolean);

/** Names and parameters, in order. */
export function namedParameters(operation: string, model: NamedParameters): (readonly [string, Tensor])[] {
  const given = model as { namedParameters?: () => Iterable<readonly [string, Tensor]> };
  const pairs = typeof given?.namedParameters === "function" ? given.namedParameters() : model;
  const isPair = (x: unknown) => Array.isArray(x) && typeof x[0] === "string" && x[1] instanceof Tensor;
  if (typeof pairs === "object" && pairs !== null && Symbol.iterator in pairs) {
    const list = [...pairs];
    if (list.length > 0 && list.every(isPair)) return list;
  }
  const hint = "Pass the model, or model.namedParameters().";
  throw new DescentError("argument", operation, "takes a model, or parameters with names", { got: typeof model }, hint);
}

export function matches(match: Match, name: string, p: Tensor): boolean {
  if (typeof match === "function") return match(name, p);
  if (typeof match === "string") return name === match || name.endsWith(`.${match}`);
  return name.search(match) >= 0; // unlike test(), it keeps no place between calls
}
