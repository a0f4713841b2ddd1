import {
  type Access,
  type Binding,
  contiguousStrides,
  DescentError,
  type DType,
  type Shape,
  sizeOf,
} from "@descent/backend";
import { broadcastShapes, sameShape, showShape } from "./shape.ts";
import { accessOf, indexSpace, isOne, isPerRow, resultStrides, type Seen } from "./space.ts";
import type { Tensor } from "./tensor.ts";
import type { Traced, TracedCall } from "./traced.ts";

interface OperandLayout {
  readonly access: Access;
  readonly mode: Binding["mode"];
  /** An earlier operand over the very same elements, whose binding serves this one too. */
  readonly same: number | null;
}

interface ResultLayout extends Seen {
  readonly dtype: DType;
  readonly access: Access;
}

/** How a traced operation meets operands of one structure: everything about a launch that memory and numbers do not change. */
export interface Layout {
  /** Tells programs apart. */
  readonly key: string;
  readonly rank: number;
  /** Folded axes; null for a map. */
  readonly reduced: number | null;
  readonly operands: readonly (OperandLayout | null)[];
  readonly outputs: readonly ResultLayout[];
  /** For each result, the operand that it overwrites (null: a new tensor). */
  readonly into: readonly (number | null)[];
  /** In the order of the program's bindings: operand `from`, or result `−1 − from`, and its strides in the launch. */
  readonly hands: readonly { readonly from: number; readonly strides: readonly number[] }[];
  /** Extents of the launch, and the length of a row. */
  readonly shape: readonly number[];
  readonly count: number;
}

/** An overwritten operand has the shape of the result that goes there, and no element twice. */
function checkTarget(operation: string, { shape: own, strides }: Seen, shape: Shape): void {
  if (own.some((extent, axis) => extent > 1 && strides[axis] === 0)) {
    throw new DescentError(
      "shape",
      operation,
      "several elements of the tensor that is changed in place share one place in memory",
      { shape: showShape(own), strides: showShape(strides) },
      "It was made by expand: clone() it first.",
    );
  }
  if (!sameShape(own, shape)) {
    throw new DescentError(
      "shape",
      operation,
      "the result does not fit the tensor that is changed in place",
      { target: showShape(own), result: showShape(shape) },
      "Only the other operands are broadcast.",
    );
  }
}

const sameElements = (a: Tensor, b: Tensor): boolean =>
  a.storage === b.storage && a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides);

/** The first operand before operand `i` over the very same elements; −1 when there is none. */
export function twin(operands: readonly (Tensor | number)[], i: number): number {
  const x = operands[i] as Tensor;
  for (let j = 0; j < i; j++) {
    const other = operands[j] as Tensor | number;
    if (typeof other !== "number" && sameElements(other, x)) return j;
  }
  return -1;
}

/** Copies operands that overlap an overwritten one without being the same elements: each element must see the state before. */
export function separate(
  { overwrites }: Traced,
  operands: readonly (Tensor | number)[],
  into: TracedCall["into"],
): readonly (Tensor | number)[] {
  const targets = into?.flatMap((i) => (i === null ? [] : [operands[i] as Tensor]));
  if (targets === undefined || targets.length === 0) return operands;
  return operands.map((x, i) => {
    if (typeof x === "number" || into?.includes(i)) return x;
    const clash = targets.some((target) => target.storage === x.storage && (overwrites || !sameElements(target, x)));
    return clash ? x.copy() : x;
  });
}

/** One letter each, so that keys stay short. */
const codes = {
  ...{
    float32: "f",
    float64: "d",
    float16: "h",
    bfloat16: "b",
    int32: "i",
    int64: "l",
    uint32: "u",
    uint8: "c",
    bool: "m",
  },
  ...{ flat: "F", single: "S", strided: "T", row: "R", stridedRow: "Q", read: "r", write: "w", update: "x" },
} satisfies Record<DType | Access | Binding["mode"], string>;

/** Lays one launch out: the index space, how each operand and result is reached in it, and what results look like. */
export function layOut(
  spec: Traced,
  operands: readonly (Tensor | number)[],
  dtypes: readonly DType[],
  call: TracedCall,
): Layout {
  const into = call.into ?? dtypes.map(() => null);
  const dims = call.dims ?? null;
  const own = operands.flatMap((x) => (typeof x === "number" ? [] : [x.shape]));
  const shape = call.shape ?? broadcastShapes(spec.name, own);
  const rowShape = dims === null ? shape : shape.map((extent, axis) => (dims.includes(axis) ? 1 : extent));
  const freshStrides = dims === null && !call.contiguous ? resultStrides(operands, shape) : contiguousStrides(shape);
  const results = dtypes.map((_, i): Seen => {
    const target = into[i] ?? null;
    const extents = spec.perRow?.[i] ? rowShape : shape;
    if (target !== null) {
      checkTarget(spec.name, operands[target] as Tensor, extents);
      return operands[target] as Tensor;
    }
    const strides = spec.perRow?.[i] ? contiguousStrides(extents) : freshStrides;
    return { shape: extents, strides, size: sizeOf(extents) };
  });
  const space = indexSpace(operands, results, shape, dims);
  const hands: { from: number; strides: readonly number[] }[] = [];
  const hand = (from: number, access: Access, strides: readonly number[]) => {
    const used = access === "strided" ? strides : access === "stridedRow" ? strides.slice(0, space.kept) : [];
    hands.push({ from, strides: used });
  };
  const reduced = dims === null ? null : space.shape.length - space.kept;
  let key = `${reduced === null ? "m" : `f${reduced}`}.${space.shape.length}`;
  const laid = operands.map((x, i): OperandLayout | null => {
    if (typeof x === "number") {
      key += "n";
      return null;
    }
    const same = twin(operands, i);
    const target = into.includes(i);
    const mode = target ? (spec.overwrites ? "write" : "update") : "read";
    const shared = same >= 0 && !target ? same : null;
    const perRow = dims !== null && isPerRow(x, shape, dims);
    const strides = space.operands[i] as readonly number[];
    const access = accessOf(strides, space, isOne(x) && !target && (dims === null || perRow), perRow);
    key += codes[x.dtype] + codes[access] + codes[mode] + (shared ?? "");
    if (shared === null) hand(i, access, strides);
    return { access, mode, same: shared };
  });
  const outputs = results.map(({ shape: extents, strides: steps, size }, i): ResultLayout => {
    const row = spec.perRow?.[i] ?? false;
    const target = into[i] ?? null;
    const dtype = target === null ? (dtypes[i] as DType) : (operands[target] as Tensor).dtype;
    const strides = space.results[i] as readonly number[];
    const access = accessOf(strides, space, row && size === 1, row);
    key += `>${codes[dtype]}${codes[access]}${target ?? ""}`;
    if (target === null) hand(-1 - i, access, strides);
    return { dtype, access, shape: extents, strides: steps, size };
  });
  const count = dims === null ? 1 : dims.reduce((product, axis) => product * (shape[axis] as number), 1);
  return { key, rank: space.shape.length, reduced, operands: laid, outputs, into, hands, shape: space.shape, count };
}
