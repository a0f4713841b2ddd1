import { Cache, DescentError } from "@descent/backend";
import type { Contraction } from "../contract.ts";
import { sameShape, showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor and the label of each of its axes; equal labels are one axis of the index space. No label may repeat. */
export interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly number[];
}

/** What follows from the labels and shapes of a product, whatever its operands' layout. */
export interface Form {
  readonly left: Seen;
  readonly right: Seen;
  readonly out: readonly number[];
  /** Of the result. */
  readonly shape: readonly number[];
  /** Extents of batch, rows, cols and inner axes; and where the parts start. */
  readonly space: readonly number[];
  readonly starts: Contraction["starts"];
  /** Whether the right factor has the rows. */
  readonly swap: boolean;
  /** Per axis of the space: the factor's own axis; −1 where it does not vary. */
  readonly leftAxes: readonly number[];
  readonly rightAxes: readonly number[];
  /** Per outer axis of the space: the result's axis; and whether that is another order. */
  readonly place: readonly number[];
  readonly permuted: boolean;
  /** The labels of each factor's gradient before it is stretched; the factor's own where nothing is. */
  readonly back: readonly [left: readonly number[], right: readonly number[]];
}

/** A factor as far as its form goes. */
interface Seen {
  readonly shape: readonly number[];
  readonly labels: readonly number[];
}

/** Forms of each operation, the latest first, and how many are remembered. */
const forms = new Cache<string, Form[]>(200);
const remembered = 16;

const isLike = (seen: Seen, { tensor, labels }: Labelled): boolean =>
  sameShape(seen.shape, tensor.shape) && sameShape(seen.labels, labels);

/** The form of a product: known from before, as a rule, which is found by comparing and not by working it out. */
export function formOf(name: string, left: Labelled, right: Labelled, out: readonly number[]): Form {
  const known = forms.get(name, () => []);
  for (let i = 0; i < known.length; i++) {
    const found = known[i] as Form;
    if (!(isLike(found.left, left) && isLike(found.right, right) && sameShape(found.out, out))) continue;
    if (i > 0) [known[0], known[i]] = [found, known[0] as Form];
    return found;
  }
  const form = makeForm(name, left, right, out);
  known.unshift(form);
  if (known.length > remembered) known.pop();
  return form;
}

function makeForm(name: string, left: Labelled, right: Labelled, out: readonly number[]): Form {
  const extents = extentsOf(name, left, right);
  const [ofLeft, ofRight] = [effective(left, extents), effective(right, extents)];
  const { order, starts, swap } = arrange(ofLeft, ofRight, out);
  const axesOf = ({ tensor, labels }: Labelled) =>
    order.map((label) => {
      const axis = labels.indexOf(label);
      return tensor.shape[axis] === extents.get(label) ? axis : -1;
    });
  const place = order.slice(0, starts[2]).map((label) => out.indexOf(label));
  const back = (own: Labelled, wanted: readonly number[], other: readonly number[]) => {
    const common = wanted.filter((label) => out.includes(label) || other.includes(label));
    return common.length === own.labels.length ? own.labels : common;
  };
  return {
    left: { shape: left.tensor.shape, labels: left.labels },
    right: { shape: right.tensor.shape, labels: right.labels },
    out,
    shape: out.map((label) => extents.get(label) as number),
    space: order.map((label) => extents.get(label) as number),
    starts,
    swap,
    leftAxes: axesOf(left),
    rightAxes: axesOf(right),
    place,
    permuted: place.some((axis, i) => axis !== i),
    back: [back(left, ofLeft.labels, right.labels), back(right, ofRight.labels, left.labels)],
  };
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
  ...x,
  labels: x.labels.filter((label, axis) => x.tensor.shape[axis] === extents.get(label)),
});

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
