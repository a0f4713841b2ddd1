import {
  type Access,
  type Arg,
  type Binding,
  collapse,
  contiguousStrides,
  DescentError,
  type DType,
  isContiguous,
  type Shape,
  sizeOf,
} from "@descent/backend";
import type { Runtime } from "./runtime.ts";
import { broadcastShapes, broadcastStrides, sameShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";
import type { Traced, TracedCall } from "./traced.ts";

interface OperandPlan {
  readonly access: Access;
  readonly mode: Binding["mode"];
  /** An earlier operand over the very same elements, whose binding serves this one too. */
  readonly same: number | null;
}

/** How one traced operation meets its operands: everything structural is in `key`, everything else goes along with the launch. */
export interface Plan {
  readonly key: string;
  readonly runtime: Runtime;
  readonly rank: number;
  /** Folded axes; null for a map. */
  readonly reduced: number | null;
  readonly operands: readonly (OperandPlan | null)[];
  readonly outputs: readonly { readonly dtype: DType; readonly access: Access }[];
  readonly into: readonly (number | null)[];
  readonly args: readonly Arg[];
  readonly shape: readonly number[];
  /** The row length, then every operand that is a number. */
  readonly hyper: readonly number[];
  readonly results: Tensor[];
}

/** All tensors of an operation live on one backend: returns it. */
export function commonRuntime(operation: string, operands: readonly (Tensor | number)[]): Runtime {
  let runtime: Runtime | null = null;
  for (const operand of operands) {
    if (typeof operand === "number") continue;
    if (runtime === null) runtime = operand.runtime;
    else if (runtime !== operand.runtime) {
      const facts = { first: runtime.backend.name, other: operand.runtime.backend.name };
      throw new DescentError(
        "device",
        operation,
        "tensors of different backends meet",
        facts,
        "Move one with t.to(backend) first.",
      );
    }
  }
  if (runtime) return runtime;
  throw new DescentError("argument", operation, "takes at least one tensor", {}, "Make one with tensor(…).");
}

/** Whether the elements of a layout fill one stretch of memory, in whatever order of axes. */
function isDense(shape: Shape, strides: readonly number[]): boolean {
  const axes = strides.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  axes.sort((a, b) => (strides[b] as number) - (strides[a] as number));
  return isContiguous(
    axes.map((axis) => shape[axis] as number),
    axes.map((axis) => strides[axis] as number),
  );
}

interface Space {
  /** Extents and, per operand (null: a number) and per result, strides over them; collapsed. */
  readonly shape: readonly number[];
  readonly operands: readonly (readonly number[] | null)[];
  readonly results: readonly (readonly number[])[];
  /** Number of kept axes, for a fold. */
  readonly kept: number;
}

/** Strides of a fresh result: as the operands' where they all lie alike, else row-major. */
function resultStrides(operands: readonly (Tensor | number)[], shape: Shape): readonly number[] {
  let like: Tensor | null = null;
  for (const operand of operands) {
    if (typeof operand === "number" || operand.size === 1) continue;
    if (!sameShape(operand.shape, shape)) return contiguousStrides(shape);
    if (like === null) like = operand;
    else if (!sameShape(like.strides, operand.strides)) return contiguousStrides(shape);
  }
  return like !== null && isDense(like.shape, like.strides) ? like.strides : contiguousStrides(shape);
}

/** Plans one launch of `spec`: the index space, how each operand is reached in it, and the results. */
export function planLaunch(
  spec: Traced,
  given: readonly (Tensor | number)[],
  dtypes: readonly DType[],
  call: TracedCall,
): Plan {
  const runtime = commonRuntime(spec.name, given);
  const into = call.into ?? dtypes.map(() => null);
  const dims = call.dims ?? null;
  const own = given.flatMap((x) => (typeof x === "number" ? [] : [x.shape]));
  const shape = call.shape ?? broadcastShapes(spec.name, own);
  checkTargets(spec, given, into, shape);
  const rowShape = dims === null ? shape : shape.map((extent, axis) => (dims.includes(axis) ? 1 : extent));
  const freshStrides = dims === null && !call.contiguous ? resultStrides(given, shape) : contiguousStrides(shape);
  const results = dtypes.map((dtype, i) => {
    const target = into[i] ?? null;
    if (target !== null) return given[target] as Tensor;
    const perRow = spec.perRow?.[i] ?? false;
    const extents = perRow ? rowShape : shape;
    return maker(given).make(
      runtime.memory.alloc(dtype, sizeOf(extents), spec.name),
      extents,
      perRow ? contiguousStrides(extents) : freshStrides,
      0,
    );
  });
  const operands = separate(spec, given, into);
  const space = indexSpace(operands, results, shape, dims);
  return assemble(spec, runtime, operands, results, into, space, dims === null ? null : shape, dims);
}

const maker = (operands: readonly (Tensor | number)[]): Tensor => operands.find((x) => typeof x !== "number") as Tensor;

/** An overwritten operand has the shape of the whole operation. */
function checkTargets(
  spec: Traced,
  operands: readonly (Tensor | number)[],
  into: readonly (number | null)[],
  shape: Shape,
): void {
  for (const target of into) {
    if (target === null) continue;
    const own = (operands[target] as Tensor).shape;
    if (!sameShape(own, shape)) {
      throw new DescentError(
        "shape",
        spec.name,
        "the result does not fit the tensor that is changed in place",
        { target: `[${own.join(", ")}]`, result: `[${shape.join(", ")}]` },
        "Only the other operands are broadcast.",
      );
    }
  }
}

const sameElements = (a: Tensor, b: Tensor): boolean =>
  a.storage === b.storage && a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides);

/** Copies operands that overlap an overwritten one without being the same elements: each element must see the state before. */
function separate(
  spec: Traced,
  operands: readonly (Tensor | number)[],
  into: readonly (number | null)[],
): readonly (Tensor | number)[] {
  if (into.every((target) => target === null)) return operands;
  return operands.map((x, i) => {
    if (typeof x === "number" || into.includes(i)) return x;
    const clash = into.some(
      (target) =>
        target !== null &&
        (operands[target] as Tensor).storage === x.storage &&
        (spec.overwrites || !sameElements(operands[target] as Tensor, x)),
    );
    return clash ? x.copy() : x;
  });
}

function indexSpace(
  operands: readonly (Tensor | number)[],
  results: readonly Tensor[],
  shape: Shape,
  dims: readonly number[] | null,
): Space {
  if (dims === null) {
    // Everything that lies alike, in whatever order of axes, is one flat run.
    const first = results[0] as Tensor;
    const alike = (t: Tensor) =>
      t.size === 1 ||
      (sameShape(t.shape, shape) &&
        (sameShape(t.strides, first.strides) ||
          (isContiguous(shape, first.strides) && isContiguous(shape, t.strides))));
    if (
      isDense(shape, first.strides) &&
      results.every(alike) &&
      operands.every((x) => typeof x === "number" || alike(x))
    ) {
      const size = sizeOf(shape);
      const stride = (t: Tensor) => [t.size === 1 && size !== 1 ? 0 : 1];
      return {
        shape: [size],
        operands: operands.map((x) => (typeof x === "number" ? null : stride(x))),
        results: results.map(stride),
        kept: 1,
      };
    }
  }
  const order =
    dims === null
      ? shape.map((_, axis) => axis)
      : [...shape.keys()].filter((axis) => !dims.includes(axis)).concat(dims);
  const kept = dims === null ? order.length : order.length - dims.length;
  const arrange = (strides: readonly number[]) => order.map((axis) => strides[axis] as number);
  const tensors = operands.flatMap((x) => (typeof x === "number" ? [] : [x]));
  const all = [...tensors, ...results].map((t) => arrange(broadcastStrides(t.shape, t.strides, shape)));
  const extents = order.map((axis) => shape[axis] as number);
  const merged = collapse(extents, all, dims === null ? [] : [kept]);
  if (dims !== null && merged.shape.length === merged.fences[0]) {
    merged.shape.push(1); // a row has at least one axis
    for (const strides of merged.operands) strides.push(0);
  }
  let next = 0;
  return {
    shape: merged.shape,
    operands: operands.map((x) => (typeof x === "number" ? null : (merged.operands[next++] as number[]))),
    results: results.map(() => merged.operands[next++] as number[]),
    kept: merged.fences[0] ?? merged.shape.length,
  };
}

/** The cheapest way to reach a layout in the index space; `single` where the one element is common to all. */
function accessOf(strides: readonly number[], space: Space, single: boolean, perRow: boolean): Access {
  if (single) return "single";
  const kept = space.shape.slice(0, space.kept);
  if (perRow) return isContiguous(kept, strides.slice(0, space.kept)) ? "row" : "stridedRow";
  return isContiguous(space.shape, strides) ? "flat" : "strided";
}

function assemble(
  spec: Traced,
  runtime: Runtime,
  operands: readonly (Tensor | number)[],
  results: Tensor[],
  into: readonly (number | null)[],
  space: Space,
  folded: Shape | null,
  dims: readonly number[] | null,
): Plan {
  const args: Arg[] = [];
  const plans: (OperandPlan | null)[] = [];
  const hyper = [
    folded === null || dims === null ? 1 : dims.reduce((count, axis) => count * (folded[axis] as number), 1),
  ];
  const reduced = folded === null ? null : space.shape.length - space.kept;
  let key = `${reduced === null ? "m" : `f${reduced}`}.${space.shape.length}`;
  const hand = (t: Tensor, access: Access, strides: readonly number[]) => {
    const own = access === "strided" ? strides : access === "stridedRow" ? strides.slice(0, space.kept) : [];
    args.push({ buffer: t.storage.buffer(spec.name), offset: t.offset, strides: own });
  };
  const perRow = (t: Tensor) => dims !== null && isPerRow(t, folded as Shape, dims);
  operands.forEach((x, i) => {
    if (typeof x === "number") {
      hyper.push(x);
      plans.push(null);
      key += "|n";
      return;
    }
    const same = operands.findIndex((other, j) => j < i && typeof other !== "number" && sameElements(other, x));
    const target = into.includes(i);
    const mode = target ? (spec.overwrites ? "write" : "update") : "read";
    const shared = same >= 0 && !target ? same : null;
    const access = accessOf(
      space.operands[i] as readonly number[],
      space,
      x.size === 1 && !target && (dims === null || perRow(x)),
      perRow(x),
    );
    plans.push({ access, mode, same: shared });
    key += `|${x.dtype}${access}${mode}${shared ?? ""}`;
    if (shared === null) hand(x, access, space.operands[i] as readonly number[]);
  });
  const outputs = results.map((t, i) => {
    const row = spec.perRow?.[i] ?? false;
    const access = accessOf(space.results[i] as readonly number[], space, row && t.size === 1, row);
    key += `>${t.dtype}${access}${into[i] ?? ""}`;
    if ((into[i] ?? null) === null) hand(t, access, space.results[i] as readonly number[]);
    return { dtype: t.dtype, access };
  });
  return {
    key,
    runtime,
    rank: space.shape.length,
    reduced,
    operands: plans,
    outputs,
    into,
    args,
    shape: space.shape,
    hyper,
    results,
  };
}

/** Whether an operand is one value per row: it has extent 1 along every folded axis, and a row is longer than that. */
export function isPerRow(t: Tensor, shape: Shape, dims: readonly number[]): boolean {
  const lead = shape.length - t.shape.length;
  if (dims.every((axis) => shape[axis] === 1)) return false;
  return dims.every((axis) => axis < lead || t.shape[axis - lead] === 1);
}
