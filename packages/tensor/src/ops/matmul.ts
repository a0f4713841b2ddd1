import { DescentError } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./elementwise.ts";
import { type Activation, checkActivation } from "./fused.ts";
import { type ProductOptions, product } from "./product.ts";
import { reshape } from "./view.ts";

/** Factors of the product (`alpha`) and of what it is added to (`beta`); both 1 by default. */
export interface AddProductOptions {
  readonly alpha?: number;
  readonly beta?: number;
}

// Labels of the axes of a matrix product; batch axes are 3, 4, …
const [I, J, K] = [0, 1, 2];
const batchLabels = (count: number, of: number): number[] =>
  Array.from({ length: count }, (_, i) => 3 + of - count + i);

function checkRank(name: string, role: string, t: Tensor, rank: number): void {
  if (t.ndim === rank) return;
  const facts = { [role]: showShape(t.shape), axes: t.ndim };
  const fault = `${role} must have ${rank} ${rank === 1 ? "axis" : "axes"}`;
  throw new DescentError("shape", name, fault, facts, hintFor(name));
}

interface Labels {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly out: readonly number[];
}

const labelled = new Map<number, Labels>();

/** Labels for operands with so many axes: all but the last two (one, for a vector) are batch axes. */
function labelsFor(leftAxes: number, rightAxes: number): Labels {
  const key = 1000 * leftAxes + rightAxes;
  const known = labelled.get(key);
  if (known) return known;
  const [leftBatch, rightBatch] = [Math.max(0, leftAxes - 2), Math.max(0, rightAxes - 2)];
  const most = Math.max(leftBatch, rightBatch);
  const rows = leftAxes > 1 ? [I] : [];
  const cols = rightAxes > 1 ? [J] : [];
  const labels = {
    left: [...batchLabels(leftBatch, most), ...rows, K],
    right: [...batchLabels(rightBatch, most), K, ...cols],
    out: [...batchLabels(most, most), ...rows, ...cols],
  };
  labelled.set(key, labels);
  return labels;
}

const hintFor = (name: string): string =>
  ["mm", "mv", "dot", "bmm"].includes(name) ? "matmul takes all of PyTorch's shapes." : "";

/** Inner sizes agree; the hint is the transposition that would make them. */
function checkInner(name: string, left: Tensor, right: Tensor): void {
  const inner = left.shape.at(-1) as number;
  const axis = right.ndim > 1 ? right.ndim - 2 : 0;
  if (inner === right.shape[axis]) return;
  const facts = { left: showShape(left.shape), right: showShape(right.shape) };
  const [m, n] = [left.shape.at(-2), right.shape.at(-1)];
  const swapped = (t: Tensor, who: string) => `Did you mean ${who}.transpose(${t.ndim - 2}, ${t.ndim - 1})?`;
  const hint =
    right.ndim > 1 && n === inner
      ? swapped(right, "right")
      : left.ndim > 1 && m === right.shape[axis]
        ? swapped(left, "left")
        : "The last axis of left and the second to last of right are summed over; they must be equal.";
  throw new DescentError("shape", name, "inner sizes differ", facts, hint);
}

/** Any matrix product: batch axes are all but the last two (one, for a vector) and broadcast. */
function multiply(name: string, left: Tensor, right: Tensor, options?: ProductOptions): Tensor {
  checkInner(name, left, right);
  const labels = labelsFor(left.ndim, right.ndim);
  return product(
    name,
    { tensor: left, labels: labels.left },
    { tensor: right, labels: labels.right },
    labels.out,
    options,
  );
}

/**
 * Matrix product by all of PyTorch's rules (torch.matmul): `[…, n, k] · […, k, m]` gives `[…, n, m]`, leading axes broadcast; a
 * vector is a row on the left and a column on the right, and its axis does not appear in the result.
 *
 * @example
 * matmul(x, w.transpose(0, 1)); // no copy: transposed operands are read where they lie
 */
export function matmul(left: Tensor, right: Tensor): Tensor {
  for (const [role, t] of Object.entries({ left, right })) {
    if (t.ndim > 0) continue;
    throw new DescentError("shape", "matmul", `${role} has no axes`, { [role]: "[]" }, "Use mul for numbers.");
  }
  return multiply("matmul", left, right);
}

/** `[n, k] · [k, m]` (torch.mm). */
export function mm(left: Tensor, right: Tensor): Tensor {
  checkRank("mm", "left", left, 2);
  checkRank("mm", "right", right, 2);
  return multiply("mm", left, right);
}

/** `[n, k] · [k]` (torch.mv). */
export function mv(matrix: Tensor, vector: Tensor): Tensor {
  checkRank("mv", "matrix", matrix, 2);
  checkRank("mv", "vector", vector, 1);
  return multiply("mv", matrix, vector);
}

/** Σ of the products of two vectors (torch.dot). */
export function dot(left: Tensor, right: Tensor): Tensor {
  checkRank("dot", "left", left, 1);
  checkRank("dot", "right", right, 1);
  return multiply("dot", left, right);
}

/** As `dot`: all numbers are real (torch.vdot). */
export const vdot = dot;

function checkBatches(name: string, left: Tensor, right: Tensor): void {
  checkRank(name, "left", left, 3);
  checkRank(name, "right", right, 3);
  if (left.shape[0] === right.shape[0]) return;
  const facts = { left: showShape(left.shape), right: showShape(right.shape) };
  throw new DescentError("shape", name, "numbers of matrices differ", facts, "matmul broadcasts them.");
}

/** `[b, n, k] · [b, k, m]`; nothing broadcasts (torch.bmm). */
export function bmm(left: Tensor, right: Tensor): Tensor {
  checkBatches("bmm", left, right);
  return multiply("bmm", left, right);
}

function addProduct(name: string, input: Tensor, left: Tensor, right: Tensor, options: AddProductOptions): Tensor {
  checkOptions(name, options, ["alpha", "beta"]);
  return multiply(name, left, right, { ...options, addend: input });
}

/** beta · input + alpha · (left · right) of matrices, in one launch; `input` broadcasts (torch.addmm). */
export function addmm(input: Tensor, left: Tensor, right: Tensor, options: AddProductOptions = {}): Tensor {
  checkRank("addmm", "left", left, 2);
  checkRank("addmm", "right", right, 2);
  return addProduct("addmm", input, left, right, options);
}

/** beta · input + alpha · (matrix · vector) (torch.addmv). */
export function addmv(input: Tensor, matrix: Tensor, vector: Tensor, options: AddProductOptions = {}): Tensor {
  checkRank("addmv", "matrix", matrix, 2);
  checkRank("addmv", "vector", vector, 1);
  return addProduct("addmv", input, matrix, vector, options);
}

/** beta · input + alpha · (left · right) of batches of matrices (torch.baddbmm). */
export function baddbmm(input: Tensor, left: Tensor, right: Tensor, options: AddProductOptions = {}): Tensor {
  checkBatches("baddbmm", left, right);
  return addProduct("baddbmm", input, left, right, options);
}

/** All products of an element of `left` with one of `right`: `[n]`, `[m]` give `[n, m]` (torch.outer). */
export function outer(left: Tensor, right: Tensor): Tensor {
  checkRank("outer", "left", left, 1);
  checkRank("outer", "right", right, 1);
  return mul(reshape(left, [left.size, 1]), right);
}

/**
 * activation(input · weightᵀ + bias) in one launch: `[…, in]`, weight `[out, in]` or `[in]`, bias `[out]` (torch.nn.functional.linear).
 * Backward: one map for the activation, one contraction each for input and weight, one fold for the bias.
 */
export function linear(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  { activation = null }: { activation?: Activation | null } = {},
): Tensor {
  checkActivation("linear", activation);
  const inner = weight.shape.at(-1);
  if (weight.ndim > 2 || weight.ndim === 0 || input.ndim === 0 || input.shape.at(-1) !== inner) {
    const facts = { input: showShape(input.shape), weight: showShape(weight.shape) };
    const hint = "weight is [out features, in features]; the last axis of input has the in features.";
    throw new DescentError("shape", "linear", "input and weight do not fit", facts, hint);
  }
  const lead = batchLabels(input.ndim - 1, input.ndim - 1);
  const features = weight.ndim === 2 ? [J] : [];
  if (bias && bias.ndim > 0 && (bias.ndim > features.length || bias.size !== weight.shape[0])) {
    const facts = { bias: showShape(bias.shape), weight: showShape(weight.shape) };
    throw new DescentError("shape", "linear", "bias does not have one element per out feature", facts);
  }
  const left = { tensor: input, labels: [...lead, K] };
  const right = { tensor: weight, labels: [...features, K] };
  return product("linear", left, right, [...lead, ...features], { addend: bias, activation });
}

/**
 * Σ over `dims` axes of left · right (torch.tensordot): a number n takes the last n axes of `left` with the first n of `right`;
 * two lists name the axes pair by pair. Default: 2.
 */
export function tensordot(
  left: Tensor,
  right: Tensor,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const count = (n: number, from: number) => Array.from({ length: n }, (_, i) => from + i);
  const [a, b] = typeof dims === "number" ? [count(dims, left.ndim - dims), count(dims, 0)] : dims;
  const [axesA, axesB] = [a.map((axis) => wrap(axis, left)), b.map((axis) => wrap(axis, right))];
  const agree = (axis: number, i: number) =>
    left.shape[axis] !== undefined && left.shape[axis] === right.shape[axesB[i] as number];
  if (axesA.length !== axesB.length || !axesA.every(agree)) {
    const facts = { left: showShape(left.shape), right: showShape(right.shape), dims: JSON.stringify(dims) };
    throw new DescentError(
      "shape",
      "tensordot",
      "the axes to sum over do not fit",
      facts,
      "Pair axes of equal extent.",
    );
  }
  const labels = left.shape.map((_, axis) => axis);
  const others = right.shape.map((_, axis) =>
    axesB.includes(axis) ? (axesA[axesB.indexOf(axis)] as number) : left.ndim + axis,
  );
  const out = [...labels.filter((axis) => !axesA.includes(axis)), ...others.filter((label) => label >= left.ndim)];
  return product("tensordot", { tensor: left, labels }, { tensor: right, labels: others }, out);
}

const wrap = (axis: number, t: Tensor): number => (axis < 0 ? axis + t.ndim : axis);
