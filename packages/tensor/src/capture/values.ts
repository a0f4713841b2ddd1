import { Tensor } from "../tensor.ts";

const isPlain = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/** A copy of `value` (a tensor, or arrays and plain objects of them) with every tensor replaced, in order. */
export function mapTensors(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return replace(value);
  if (Array.isArray(value)) return value.map((x) => mapTensors(x, replace));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, mapTensors(x, replace)]));
}

const identities = new WeakMap<object, number>();
let count = 0;

/** A number that stands for one object as long as it lives. */
function identity(x: object): number {
  const found = identities.get(x) ?? ++count;
  identities.set(x, found);
  return found;
}

/**
 * What decides which recording fits arguments: shapes and dtypes of tensors, the tensor itself where it is differentiable, and every
 * other value as it is. Collects the tensors whose elements may change from run to run into `inputs`.
 */
export function signature(value: unknown, inputs: Tensor[]): string {
  if (value instanceof Tensor) {
    if (value.requiresGrad) return `#${identity(value)}`;
    inputs.push(value);
    return `${value.dtype}[${value.shape.join()}]`;
  }
  if (Array.isArray(value)) return `[${value.map((x) => signature(x, inputs)).join()}]`;
  if (isPlain(value)) {
    const parts = Object.entries(value).map(([key, x]) => `${key}:${signature(x, inputs)}`);
    return `{${parts.join()}}`;
  }
  if (typeof value === "object" && value !== null) return `@${identity(value)}`;
  if (typeof value === "function") return `@${identity(value)}`;
  return Object.is(value, -0) ? "-0" : typeof value === "string" ? JSON.stringify(value) : String(value);
}
