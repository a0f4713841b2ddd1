import { DescentError, Tensor } from "@descent/tensor";

/** A number of features, channels or the like: an integer of at least `least`. */
export function checkCount(operation: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value;
  const facts = { [name]: value };
  throw new DescentError("argument", operation, `${name} is no integer of at least ${least}`, facts);
}

/** Throws unless `value` is a tensor: an array, or nothing, from JavaScript. */
export function checkTensor(operation: string, name: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  const got = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
  throw new DescentError("argument", operation, `${name} is no tensor`, { got }, "Make one with tensor(…).");
}
