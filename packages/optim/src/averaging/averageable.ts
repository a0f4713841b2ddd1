import { DescentError, Tensor } from "@descent/tensor";

/** What averaging needs of a model: `nn.Module` has it, and any object with `parameters()`. Names serve `stateDict`. */
export interface Averageable {
  parameters(): Iterable<Tensor>;
  namedParameters?(): Iterable<readonly [string, Tensor]>;
  buffers?(): Iterable<Tensor>;
  namedBuffers?(): Iterable<readonly [string, Tensor]>;
}

/** A tensor of a model, and what to do with it. */
export interface Entry {
  readonly name: string;
  readonly tensor: Tensor;
  /** Whether `stateDict` has it. */
  readonly saved: boolean;
  readonly isBuffer: boolean;
}

const numbered = (tensors: Iterable<Tensor>, kind: string): [string, Tensor][] =>
  [...tensors].map((tensor, i) => [`${kind}${i}`, tensor]);

/** All tensors of a model, parameters first. */
export function entriesOf(operation: string, model: Averageable): Entry[] {
  if (typeof model?.parameters !== "function") {
    const hint = "Pass an nn.Module, or an object with parameters().";
    throw new DescentError("argument", operation, "takes a model", { got: typeof model }, hint);
  }
  const parameters = [...(model.namedParameters?.() ?? numbered(model.parameters(), "parameter"))];
  const buffers = [...(model.namedBuffers?.() ?? numbered(model.buffers?.() ?? [], "buffer"))];
  const entry =
    (isBuffer: boolean) =>
    ([name, tensor]: readonly [string, Tensor]): Entry => ({
      name,
      tensor,
      saved: (tensor as { persistent?: boolean }).persistent !== false,
      isBuffer,
    });
  const all = [...parameters.map(entry(false)), ...buffers.map(entry(true))];
  const stranger = all.find(({ tensor }) => !(tensor instanceof Tensor));
  if (stranger) throw new DescentError("argument", operation, "a parameter is no tensor", { name: stranger.name });
  if (parameters.length === 0) throw new DescentError("argument", operation, "the model has no parameters");
  return all;
}
