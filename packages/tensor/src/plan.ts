import {
  type Access,
  type Arg,
  type Binding,
  contiguousStrides,
  DescentError,
  type DType,
  type Shape,
  sizeOf,
} from "@descent/backend";
import type { Runtime } from "./runtime.ts";
import { broadcastShapes, sameShape, showShape } from "./shape.ts";
import { accessOf, indexSpace, isOne, isPerRow, resultStrides } from "./space.ts";
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
  const rowShape = dims === null ? shape : shape.map((extent, axis) => (dims.includes(axis) ? 1 : extent));
  checkTargets(
    spec,
    given,
    into,
    dtypes.map((_, i) => (spec.perRow?.[i] ? rowShape : shape)),
  );
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
  return assemble({ spec, runtime, operands, results, into, shape, dims });
}

const maker = (operands: readonly (Tensor | number)[]): Tensor => operands.find((x) => typeof x !== "number") as Tensor;

/** An overwritten operand has the shape of the result that goes there, and no element twice. */
function checkTargets(
  spec: Traced,
  operands: readonly (Tensor | number)[],
  into: readonly (number | null)[],
  shapes: readonly Shape[],
): void {
  for (const [i, target] of into.entries()) {
    if (target === null) continue;
    const shape = shapes[i] as Shape;
    const { shape: own, strides } = operands[target] as Tensor;
    if (own.some((extent, axis) => extent > 1 && strides[axis] === 0)) {
      throw new DescentError(
        "shape",
        spec.name,
        "several elements of the tensor that is changed in place share one place in memory",
        { shape: showShape(own), strides: showShape(strides) },
        "It was made by expand: clone() it first.",
      );
    }
    if (!sameShape(own, shape)) {
      throw new DescentError(
        "shape",
        spec.name,
        "the result does not fit the tensor that is changed in place",
        { target: showShape(own), result: showShape(shape) },
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

/** One letter each, so that keys stay short: they are looked up at every launch. */
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

interface Problem {
  readonly spec: Traced;
  readonly runtime: Runtime;
  readonly operands: readonly (Tensor | number)[];
  readonly results: Tensor[];
  readonly into: readonly (number | null)[];
  readonly shape: Shape;
  readonly dims: readonly number[] | null;
}

/** Decides how each operand and result is reached, and collects what goes along with the launch. */
function assemble({ spec, runtime, operands, results, into, shape, dims }: Problem): Plan {
  const space = indexSpace(operands, results, shape, dims);
  const args: Arg[] = [];
  const plans: (OperandPlan | null)[] = [];
  const hyper = [dims === null ? 1 : dims.reduce((count, axis) => count * (shape[axis] as number), 1)];
  const reduced = dims === null ? null : space.shape.length - space.kept;
  let key = `${reduced === null ? "m" : `f${reduced}`}.${space.shape.length}`;
  const hand = (t: Tensor, access: Access, strides: readonly number[]) => {
    const own = access === "strided" ? strides : access === "stridedRow" ? strides.slice(0, space.kept) : [];
    args.push({ buffer: t.storage.buffer(spec.name), offset: t.offset, strides: own });
  };
  const perRow = (t: Tensor) => dims !== null && isPerRow(t, shape, dims);
  operands.forEach((x, i) => {
    if (typeof x === "number") {
      hyper.push(x);
      plans.push(null);
      key += "n";
      return;
    }
    const same = operands.findIndex((other, j) => j < i && typeof other !== "number" && sameElements(other, x));
    const target = into.includes(i);
    const mode = target ? (spec.overwrites ? "write" : "update") : "read";
    const shared = same >= 0 && !target ? same : null;
    const access = accessOf(
      space.operands[i] as readonly number[],
      space,
      isOne(x) && !target && (dims === null || perRow(x)),
      perRow(x),
    );
    plans.push({ access, mode, same: shared });
    key += codes[x.dtype] + codes[access] + codes[mode] + (shared ?? "");
    if (shared === null) hand(x, access, space.operands[i] as readonly number[]);
  });
  const outputs = results.map((t, i) => {
    const row = spec.perRow?.[i] ?? false;
    const access = accessOf(space.results[i] as readonly number[], space, row && t.size === 1, row);
    key += `>${codes[t.dtype]}${codes[access]}${into[i] ?? ""}`;
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
