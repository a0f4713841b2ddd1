import {
  type Access,
  type Arg,
  type Built,
  buildContract,
  Cache,
  type ContractProgram,
  collapse,
  contiguousStrides,
  DescentError,
  isContiguous,
  sizeOf,
  Trace,
  type Value,
  valueType,
} from "@descent/backend";
import { commonRuntime } from "./plan.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor seen from a contraction's index space: its first element, and its step along every axis (0 where it does not vary). */
export interface Factor {
  readonly tensor: Tensor;
  readonly strides: readonly number[];
  /** Default: the tensor's own offset. */
  readonly offset?: number;
}

/** What becomes of every sum of products before it is stored. */
export interface Epilogue {
  /** Distinguishes structure. */
  readonly key: string;
  /** From the sum and the extra operands to what is stored, one value per result. */
  readonly body: (sum: Value, x: readonly Value[]) => readonly Value[];
  /** Default: 1. */
  readonly results?: number;
}

/** Σ over the inner axes of left · right, for every index of the outer ones. Factors may overlap themselves and run backwards. */
export interface Contraction {
  readonly name: string;
  /** Extents of the batch axes, then of rows, cols and inner axes. */
  readonly shape: readonly number[];
  /** Where rows, cols and inner axes start in `shape`. */
  readonly starts: readonly [rows: number, cols: number, inner: number];
  readonly left: Factor;
  readonly right: Factor;
  /** Default: the sum itself is stored. */
  readonly epilogue?: Epilogue;
  /** Operands of the epilogue; strides are over the outer axes. */
  readonly extras?: readonly (Factor | number)[];
  /** A tensor of the outer shape to change in place; its former element becomes the first operand of the epilogue. */
  readonly into?: Tensor;
}

interface Space {
  readonly shape: readonly number[];
  readonly starts: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

const plain: Epilogue = { key: "", body: (sum) => [sum] };
const compiled = new Cache<string, Built<ContractProgram>>(2000);

/** Runs a contraction in one launch. Results are row-major over the outer axes; nothing is recorded. */
export function contract(call: Contraction): Tensor[] {
  const { name, shape, starts, left, right, epilogue = plain, extras = [], into } = call;
  const { dtype } = left.tensor;
  checkTypes(name, left.tensor, right.tensor);
  const factors = extras.filter((x) => typeof x !== "number");
  const runtime = commonRuntime(name, [left.tensor, right.tensor, ...factors.map((x) => x.tensor)]);
  const outer = shape.slice(0, starts[2]);
  const results = into
    ? [into]
    : Array.from({ length: epilogue.results ?? 1 }, () =>
        left.tensor.make(runtime.memory.alloc(dtype, sizeOf(outer), name), outer, contiguousStrides(outer), 0),
      );
  if (sizeOf(outer) === 0) return results;
  const beside = [...(into ? [{ tensor: into, strides: into.strides }] : []), ...factors];
  const space = spaceOf(shape, starts, [left.strides, right.strides, ...beside.map((x) => x.strides)]);
  const [rows, cols, inner] = space.starts as [number, number, number];
  const kept = space.shape.slice(0, inner);
  const ways = beside.map((_, i) => accessOf(kept, (space.strides[i + 2] as readonly number[]).slice(0, inner)));
  const axes = { batch: rows, rows: cols - rows, cols: inner - cols, inner: space.shape.length - inner };
  const key = `${epilogue.key}|${dtype}|${rows}.${cols}.${inner}.${axes.inner}|${extras.map((x) => (typeof x === "number" ? "n" : x.tensor.dtype))}|${ways}${into ? "+" : ""}`;
  const { program, uniforms } = compiled.get(key, () => compile(call, epilogue, axes, ways));
  const args: Arg[] = [left, right, ...beside].map(({ tensor, offset = tensor.offset }, i) => {
    const strides = i < 2 ? space.strides[i] : ways[i - 2] === "strided" ? space.strides[i]?.slice(0, inner) : [];
    return { buffer: tensor.storage.buffer(name), offset, strides: strides as readonly number[] };
  });
  if (!into) for (const { storage } of results) args.push({ buffer: storage.buffer(name), offset: 0, strides: [] });
  const hyper = extras.filter((x) => typeof x === "number");
  runtime.launch(runtime.kernel(program), args, space.shape, uniforms(hyper), name, { hyper, uniforms });
  return results;
}

function checkTypes(operation: string, left: Tensor, right: Tensor): void {
  if (left.dtype === right.dtype && left.dtype !== "bool") return;
  const facts = { left: left.dtype, right: right.dtype };
  if (left.dtype === right.dtype)
    throw new DescentError("dtype", operation, "takes numbers, not truth values", facts, "Convert with to(x, dtype).");
  throw new DescentError(
    "dtype",
    operation,
    "the operands have different dtypes",
    facts,
    "Convert one with to(x, dtype).",
  );
}

/** Merges the axes of each part that all operands walk as one. Rows, cols and inner keep at least one axis: fewer programs. */
function spaceOf(
  shape: readonly number[],
  starts: Contraction["starts"],
  strides: readonly (readonly number[])[],
): Space {
  const [rows, cols, inner] = starts;
  if (rows === 0 && cols === 1 && inner === 2 && shape.length === 3) return { shape, starts, strides };
  const padded = strides.map((own) => [...own, ...new Array<number>(shape.length - own.length).fill(0)]);
  const merged = collapse(shape, padded, starts);
  for (let part = 2; part >= 0; part--) {
    const start = merged.fences[part] as number;
    if (start < (merged.fences[part + 1] ?? merged.shape.length)) continue;
    merged.shape.splice(start, 0, 1);
    for (const own of merged.operands) own.splice(start, 0, 0);
    for (let later = part + 1; later < 3; later++) (merged.fences[later] as number)++;
  }
  return { shape: merged.shape, starts: merged.fences, strides: merged.operands };
}

const accessOf = (shape: readonly number[], strides: readonly number[]): Access =>
  isContiguous(shape, strides) ? "flat" : strides.every((stride) => stride === 0) ? "single" : "strided";

function compile(
  { left, extras = [], into }: Contraction,
  { body, results = 1 }: Epilogue,
  axes: { batch: number; rows: number; cols: number; inner: number },
  ways: readonly Access[],
): Built<ContractProgram> {
  const { dtype } = left.tensor;
  const type = valueType(dtype);
  const trace = new Trace({ kind: "contract", rank: axes.batch + axes.rows + axes.cols });
  trace.bind(dtype, "strided", "read");
  trace.bind(dtype, "strided", "read");
  const own = into ? trace.update(into.dtype, ways[0] as Access) : null;
  let [way, slot] = [own ? 1 : 0, 0];
  const x = extras.map((extra) => {
    if (typeof extra === "number") return trace.hyper(slot++);
    return (trace.input(extra.tensor.dtype, ways[way++] as Access) as Value).cast(type);
  });
  const values = body(trace.accumulator(type), own ? [(own.value as Value).cast(type), ...x] : x);
  if (own) trace.store(own.binding, values[0] as Value);
  else for (let i = 0; i < results; i++) trace.output(dtype, "flat", values[i] as Value);
  return buildContract(trace, axes);
}
