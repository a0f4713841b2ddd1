import { DescentError } from "@descent/tensor";

/** A number of features, channels or the like: an integer of at least `least`. */
export function checkCount(operation: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value;
  const facts = { [name]: value };
  throw new DescentError("argument", operation, `${name} is no integer of at least ${least}`, facts);
}
