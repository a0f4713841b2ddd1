import { DescentError } from "@descent/backend";
import { showShape } from "../shape.ts";
import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { overwrite, zerosOf } from "./fresh.ts";
import { product } from "./product.ts";
import type { Labelled } from "./product-form.ts";
import { sum } from "./reduce.ts";
import { permute, viewOf } from "./view.ts";

interface Equation {
  readonly inputs: readonly (readonly number[])[];
  readonly out: readonly number[];
}

const fail = (fault: string, equation: string, facts: Record<string, unknown> = {}, hint = ""): never => {
  throw new DescentError("shape", "einsum", fault, { equation, ...facts }, hint);
};

/** Labels of the axes under an ellipsis are negative, counted from the last; letters are their codes. */
function parseTerm(term: string, equation: string): (rank: number | null) => number[] {
  const parts = term.split("...");
  if (parts.length > 2 || !parts.every((part) => /^[a-zA-Z]*$/.test(part)))
    fail("a term is made of letters and at most one ellipsis", equation, { term }, 'For example "...ij,...jk->...ik".');
  const [before, after = null] = parts.map((part) => [...part].map((letter) => letter.charCodeAt(0)));
  return (hidden) => {
    if (after === null || !before) return before ?? [];
    return [...before, ...Array.from({ length: hidden ?? 0 }, (_, i) => i - (hidden ?? 0)), ...after];
  };
}

function parse(equation: string, operands: readonly Tensor[]): Equation {
  const [left, right, ...rest] = equation.replaceAll(" ", "").split("->");
  const terms = (left as string).split(",");
  if (rest.length > 0) fail("more than one arrow", equation);
  if (terms.length !== operands.length)
    fail("terms and operands differ in number", equation, { terms: terms.length, operands: operands.length });
  let most = 0;
  const inputs = terms.map((term, i) => {
    const { shape, ndim } = operands[i] as Tensor;
    const labels = parseTerm(term, equation);
    const named = labels(0).length;
    const hidden = term.includes("...") ? ndim - named : 0;
    if (hidden < 0 || named + hidden !== ndim)
      fail("letters and axes of an operand differ in number", equation, { operand: i, shape: showShape(shape), term });
    most = Math.max(most, hidden);
    return labels(hidden);
  });
  if (right !== undefined) {
    const out = parseTerm(right, equation)(most);
    if (new Set(out).size < out.length) fail("a label appears twice in the result", equation);
    const known = new Set(inputs.flat());
    const unknown = out.find((label) => !known.has(label));
    if (unknown !== undefined)
      fail("the result has a label that no operand has", equation, { label: String.fromCharCode(unknown) });
    return { inputs, out };
  }
  // Without an arrow: the ellipsis, then every letter that appears once, in alphabetical order.
  const all = inputs.flat();
  const once = all.filter((label) => label >= 0 && all.indexOf(label) === all.lastIndexOf(label));
  const out = [...Array.from({ length: most }, (_, i) => i - most), ...once.sort((a, b) => a - b)];
  return { inputs, out };
}

/** One axis per label: repeated labels become a diagonal, as a view. */
function diagonal(equation: string, tensor: Tensor, labels: readonly number[]): Labelled {
  const own = [...new Set(labels)];
  if (own.length === labels.length) return { tensor, labels };
  const shape = own.map((label) => tensor.shape[labels.indexOf(label)] as number);
  labels.forEach((label, axis) => {
    if (tensor.shape[axis] !== shape[own.indexOf(label)])
      fail("a repeated label has two extents", equation, { shape: showShape(tensor.shape) });
  });
  const strides = (t: Tensor) =>
    own.map((label) => labels.reduce((step, l, axis) => (l === label ? step + (t.strides[axis] as number) : step), 0));
  const take = (t: Tensor): Tensor => viewOf("diagonal", t, shape, strides(t), t.offset, put);
  const put = (g: Tensor): Tensor => {
    const result = zerosOf(g, tensor.shape);
    overwrite(result.make(result.storage, shape, strides(result), 0), g);
    return record("diagonalBackward", [g], result, (h) => [take(h)]);
  };
  return { tensor: take(tensor), labels: own };
}

/** Sums away what is not in `kept`, and puts the axes in its order. */
function single({ tensor, labels }: Labelled, kept: readonly number[]): Tensor {
  const gone = labels.flatMap((label, axis) => (kept.includes(label) ? [] : [axis]));
  const summed = gone.length > 0 ? sum(tensor, gone) : tensor;
  const left = labels.filter((label) => kept.includes(label));
  return permute(
    summed,
    kept.map((label) => left.indexOf(label)),
  );
}

/**
 * Sums of products by the names of axes (torch.einsum): repeated letters within a term take a diagonal, letters missing from the
 * result are summed over, `...` stands for axes that broadcast. Operands are taken pair by pair from the left, one launch each.
 *
 * @example
 * einsum("bhid,bhjd->bhij", queries, keys);
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  if (operands.length === 0) fail("takes at least one operand", equation);
  const { inputs, out } = parse(equation, operands);
  const extents = new Map<number, number>();
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const extent = (operands[i] as Tensor).shape[axis] as number;
      const known = extents.get(label) ?? 1;
      if (known !== 1 && extent !== 1 && extent !== known)
        fail("extents of a label do not fit", equation, {
          operand: i,
          label: label < 0 ? "..." : String.fromCharCode(label),
          extents: [known, extent],
        });
      if (known === 1) extents.set(label, extent);
    });
  });
  const factors = operands.map((t, i) => diagonal(equation, t, inputs[i] as readonly number[]));
  let [sofar, ...others] = factors as [Labelled, ...Labelled[]];
  for (let next = others.shift(); next; next = others.shift()) {
    const later = new Set([...out, ...others.flatMap(({ labels }) => labels)]);
    const both = [...new Set([...sofar.labels, ...next.labels])];
    const kept = others.length === 0 ? out : both.filter((label) => later.has(label));
    sofar = { tensor: product("einsum", sofar, next, kept), labels: kept };
  }
  return operands.length === 1 ? single(sofar, out) : sofar.tensor;
}
