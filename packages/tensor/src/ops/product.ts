import { contiguousStrides, DescentError, type Value } from "@descent/backend";
import { contract, type Epilogue, type Factor } from "../contract.ts";
import { broadcastShapes, broadcastStrides, sameShape, showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./elementwise.ts";
import { type Activation, withActivation } from "./fused.ts";
import { sumToSize } from "./reduce.ts";
import { expand, reshape } from "./view.ts";

/** A tensor and the label of each of its axes; equal labels are one axis of the index space. No label may repeat. */
export interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly number[];
}

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
  const extents = extentsOf(name, left, right);
  const shape = out.map((label) => extents.get(label) as number);
  if (addend) checkAddend(name, addend, shape, a);
  const added = addend !== null && beta !== 0 ? addend : null;
  const linear = epilogueOf(alpha, added ? beta : null);
  const numbers = [...(alpha === 1 ? [] : [alpha]), ...(added && beta !== 1 ? [beta] : [])];
  const space = arrange(effective(left, extents), effective(right, extents), out);
  const launch = (epilogue: Epilogue): Tensor[] => {
    const { order, starts, swap } = space;
    const factor = ({ tensor, labels }: Labelled): Factor => ({
      tensor,
      strides: order.map((label) => strideOf(tensor, labels, label, extents)),
    });
    const [first, second] = swap ? [right, left] : [left, right];
    const outer = order.slice(0, starts[2]);
    const place = outer.map((label) => out.indexOf(label));
    const beside = added ? broadcastStrides(added.shape, added.strides, shape) : [];
    const extra = added ? [{ tensor: added, strides: place.map((axis) => beside[axis] as number) }] : [];
    const results = contract({
      name,
      shape: order.map((label) => extents.get(label) as number),
      starts,
      left: factor(first),
      right: factor(second),
      epilogue,
      extras: [...extra, ...numbers],
    });
    if (place.every((axis, i) => axis === i)) return results;
    return results.map((t) => {
      const strides = contiguousStrides(t.shape);
      return t.make(
        t.storage,
        shape,
        out.map((label) => strides[outer.indexOf(label)] as number),
        t.offset,
      );
    });
  };
  const pullBack = (g: Tensor, [toLeft, toRight, toAddend]: readonly boolean[]) => [
    toLeft ? toFactor(name, { tensor: g, labels: out }, right, left, extents, alpha) : null,
    toRight ? toFactor(name, { tensor: g, labels: out }, left, right, extents, alpha) : null,
    ...(addend ? [toAddend ? sumToSize(beta === 1 ? g : mul(g, beta), addend.shape) : null] : []),
  ];
  const saved = [...(b.tape ? [a] : []), ...(a.tape ? [b] : [])];
  return withActivation(name, activation, linear, addend ? [a, b, addend] : [a, b], launch, pullBack, saved);
}

/** The gradient of the factor `own`, from that of the product and the other factor. */
function toFactor(
  name: string,
  g: Labelled,
  other: Labelled,
  own: Labelled,
  extents: ReadonlyMap<number, number>,
  alpha: number,
): Tensor {
  const wanted = effective(own, extents).labels;
  const common = wanted.filter((label) => g.labels.includes(label) || other.labels.includes(label));
  const found = product(`${name}Backward`, g, other, common, { alpha });
  const kept = own.labels.map((label, axis) => (common.includes(label) ? (own.tensor.shape[axis] as number) : 1));
  return expand(reshape(found, kept), own.tensor.shape);
}

function extentsOf(name: string, left: Labelled, right: Labelled): Map<number, number> {
  const extents = new Map<number, number>();
  for (const { tensor, labels } of [left, right]) {
    labels.forEach((label, axis) => {
      const extent = tensor.shape[axis] as number;
      const known = extents.get(label) ?? 1;
      if (known !== 1 && extent !== 1 && known !== extent) {
        const facts = { left: showShape(left.tensor.shape), right: showShape(right.tensor.shape) };
        throw new DescentError("shape", name, `extents ${known} and ${extent} of one axis do not fit`, facts);
      }
      if (known === 1) extents.set(label, extent);
    });
  }
  return extents;
}

/** `x` without the labels along which it is stretched. */
const effective = (x: Labelled, extents: ReadonlyMap<number, number>): Labelled => ({
  tensor: x.tensor,
  labels: x.labels.filter((label, axis) => x.tensor.shape[axis] === extents.get(label)),
});

function strideOf(t: Tensor, labels: readonly number[], label: number, extents: ReadonlyMap<number, number>): number {
  const axis = labels.indexOf(label);
  if (axis < 0 || t.shape[axis] !== extents.get(label)) return 0;
  return t.strides[axis] as number;
}

interface Arrangement {
  /** All labels: batch, rows, cols, inner. */
  readonly order: readonly number[];
  readonly starts: [number, number, number];
  /** Whether the right factor has the rows. */
  readonly swap: boolean;
}

/**
 * Gives every label its part. The result should come out in the order asked for: the last labels are rows then columns (of
 * either factor), and whatever precedes them plays batch; where that leaves no matrix, the parts decide the order.
 */
function arrange(left: Labelled, right: Labelled, out: readonly number[]): Arrangement {
  const has = (x: Labelled) => (label: number) => x.labels.includes(label);
  const [inLeft, inRight] = [has(left), has(right)];
  const isRow = (label: number) => inLeft(label) && !inRight(label);
  const isCol = (label: number) => inRight(label) && !inLeft(label);
  const rows = out.filter(isRow).length;
  const cols = out.filter(isCol).length;
  const swap = cols > 0 && rows > 0 && isRow(out.at(-1) as number);
  const [first, last] = swap ? [isCol, isRow] : [isRow, isCol];
  let colsAt = out.length;
  while (colsAt > 0 && last(out[colsAt - 1] as number)) colsAt--;
  let rowsAt = colsAt;
  while (rowsAt > 0 && first(out[rowsAt - 1] as number)) rowsAt--;
  const all = [...left.labels, ...right.labels.filter((label) => !inLeft(label))];
  const inner = all.filter((label) => !out.includes(label));
  const matrix = (colsAt < out.length || cols === 0) && (rowsAt < colsAt || rows === 0);
  if (matrix) return { order: [...out, ...inner], starts: [rowsAt, colsAt, out.length], swap };
  const batch = out.filter((label) => !isRow(label) && !isCol(label));
  const order = [...batch, ...out.filter(isRow), ...out.filter(isCol), ...inner];
  return { order, starts: [batch.length, batch.length + rows, out.length], swap: false };
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
  if (addend.shape.length > shape.length || !sameShape(broadcastShapes(name, [addend.shape, shape]), shape)) {
    const facts = { addend: showShape(addend.shape), result: showShape(shape) };
    throw new DescentError("shape", name, "what is added does not broadcast to the result", facts);
  }
}
