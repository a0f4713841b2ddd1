import { contiguousStrides, DescentError, type Value } from "@descent/backend";
import { contract, type Epilogue, type Factor } from "../contract.ts";
import { broadcastStrides, showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./elementwise.ts";
import { type Activation, withActivation } from "./fused.ts";
import { formOf, type Labelled } from "./product-form.ts";
import { sumToSize } from "./reduce.ts";
import { expand, reshape } from "./view.ts";

export interface ProductOptions {
  /** Factor of the products. Default: 1. */
  readonly alpha?: number;
  /** Broadcast to the result and added, times `beta` (default 1; at 0 its elements are not even read). */
  readonly addend?: Tensor | null;
  readonly beta?: number;
  /** Applied last. Default: none. */
  readonly activation?: Activation | null;
}

/**
 * Σ over the labels that are not in `out` of left · right, in one launch, and differentiable: each gradient is a product again.
 * An axis of extent 1 stretches to the extent that its label has on the other side.
 */
export function product(
  name: string,
  left: Labelled,
  right: Labelled,
  out: readonly number[],
  options: ProductOptions = {},
): Tensor {
  const { alpha = 1, addend = null, beta = 1, activation = null } = options;
  const [a, b] = [left.tensor, right.tensor];
  const form = formOf(name, left, right, out);
  const { shape, place, permuted } = form;
  if (addend) checkAddend(name, addend, shape, a);
  const added = addend !== null && beta !== 0 ? addend : null;
  const linear = epilogueOf(alpha, added ? beta : null);
  const launch = (epilogue: Epilogue): Tensor[] => {
    const { leftAxes, rightAxes, swap } = form;
    const [x, y] = [factor(a, leftAxes), factor(b, rightAxes)];
    const extras: (Factor | number)[] = [];
    if (added) {
      const strides = broadcastStrides(added.shape, added.strides, shape);
      extras.push({ tensor: added, strides: permuted ? place.map((axis) => strides[axis] as number) : strides });
    }
    if (alpha !== 1) extras.push(alpha);
    if (added && beta !== 1) extras.push(beta);
    const call = { name, shape: form.space, starts: form.starts, epilogue, extras };
    const results = contract({ ...call, left: swap ? y : x, right: swap ? x : y });
    if (!permuted) return results;
    return results.map((t) => {
      const strides = contiguousStrides(t.shape);
      return t.make(
        t.storage,
        shape,
        shape.map((_, axis) => strides[place.indexOf(axis)] as number),
        t.offset,
      );
    });
  };
  const pullBack = (g: Tensor, [toLeft, toRight, toAddend]: readonly boolean[]) => [
    toLeft ? toFactor(name, { tensor: g, labels: out }, right, left, form.back[0], alpha) : null,
    toRight ? toFactor(name, { tensor: g, labels: out }, left, right, form.back[1], alpha) : null,
    ...(addend ? [toAddend ? sumToSize(beta === 1 ? g : mul(g, beta), addend.shape) : null] : []),
  ];
  const saved = [...(b.tape ? [a] : []), ...(a.tape ? [b] : [])];
  return withActivation(name, activation, linear, addend ? [a, b, addend] : [a, b], launch, pullBack, saved);
}

/** The gradient of the factor `own`, from that of the product and the other factor: over the labels that either has. */
function toFactor(
  name: string,
  g: Labelled,
  other: Labelled,
  own: Labelled,
  common: readonly number[],
  alpha: number,
): Tensor {
  const found = product(`${name}Backward`, g, other, common, { alpha });
  const { shape } = own.tensor;
  if (common === own.labels) return found;
  const kept = own.labels.map((label, axis) => (common.includes(label) ? (shape[axis] as number) : 1));
  return expand(reshape(found, kept), shape);
}

/** A factor seen from the space: `axes` are its own, per axis of the space. */
function factor(tensor: Tensor, axes: readonly number[]): Factor {
  const strides: number[] = [];
  for (const axis of axes) strides.push(axis < 0 ? 0 : (tensor.strides[axis] as number));
  return { tensor, strides };
}

function epilogueOf(alpha: number, beta: number | null): Epilogue {
  const scaled = alpha !== 1;
  return {
    key: `${scaled ? "*" : ""}${beta === null ? "" : beta === 1 ? "+" : "*+"}`,
    body(sum, x) {
      // Extra operands: the addend, alpha, beta, as far as there are any.
      let next = beta === null ? 0 : 1;
      const value = scaled ? sum.mul(x[next++] as Value) : sum;
      if (beta === null) return [value];
      return [value.add(beta === 1 ? (x[0] as Value) : (x[0] as Value).mul(x[next] as Value))];
    },
  };
}

function checkAddend(name: string, addend: Tensor, shape: readonly number[], left: Tensor): void {
  if (addend.dtype !== left.dtype) {
    const facts = { addend: addend.dtype, factors: left.dtype };
    throw new DescentError(
      "dtype",
      name,
      "the operands have different dtypes",
      facts,
      "Convert one with to(x, dtype).",
    );
  }
  const lead = shape.length - addend.shape.length;
  if (lead < 0 || !addend.shape.every((extent, axis) => extent === 1 || extent === shape[lead + axis])) {
    const facts = { addend: showShape(addend.shape), result: showShape(shape) };
    throw new DescentError("shape", name, "what is added does not broadcast to the result", facts);
  }
}
