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
  type DType,
  isContiguous,
  sizeOf,
  Trace,
  type Value,
  valueType,
} from "@descent/backend";
import { commonRuntime } from "./plan.ts";
import { sameShape } from "./shape.ts";
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

/** What follows from a contraction's layout. */
interface Laid {
  /** Extents of the outer axes, and row-major strides over them. */
  readonly outer: readonly number[];
  readonly rowMajor: readonly number[];
  readonly size: number;
  /** The index space of the launch, and the strides that each operand is handed with. */
  readonly shape: readonly number[];
  readonly hands: readonly (readonly number[])[];
  readonly built: Built<ContractProgram>;
}

/** A contraction that was laid out before, with all that decided. Comparing is far cheaper than laying out anew. */
interface Met extends Pick<Contraction, "shape" | "starts"> {
  readonly dtype: DType;
  readonly changes: boolean;
  /** Strides of left, right, what is changed, and the extras that are tensors. */
  readonly strides: readonly (readonly number[])[];
  /** Per extra: its dtype; null for a number. */
  readonly extras: readonly (DType | null)[];
  readonly laid: Laid;
}

const plain: Epilogue = { key: "", body: (sum) => [sum] };
const compiled = new Cache<string, Built<ContractProgram>>(2000);
/** Contractions met with each epilogue, the latest first, and how many are remembered. */
const met = new Cache<string, Met[]>(500);
const remembered = 24;

/** Runs a contraction in one launch. Results are row-major over the outer axes; nothing is recorded. */
export function contract(call: Contraction): Tensor[] {
  const { name, left, right, epilogue = plain, extras = none, into } = call;
  checkTypes(name, left.tensor, right.tensor);
  const operands: Factor[] = [left, right];
  if (into) operands.push({ tensor: into, strides: into.strides });
  const hyper: number[] = [];
  for (const x of extras) {
    if (typeof x === "number") hyper.push(x);
    else operands.push(x);
  }
  const runtime = commonRuntime(
    name,
    operands.map(({ tensor }) => tensor),
  );
  const { outer, rowMajor, size, shape, hands, built } = layoutOf(call, epilogue, operands);
  const args: Arg[] = [];
  // Refuses what was given back, before anything is made.
  for (let i = 0; i < operands.length; i++) {
    const { tensor, offset = tensor.offset } = operands[i] as Factor;
    args.push({ buffer: tensor.storage.buffer(name), offset, strides: hands[i] as readonly number[] });
  }
  const results: Tensor[] = into ? [into] : [];
  for (let i = results.length; i < (epilogue.results ?? 1); i++) {
    const storage = runtime.memory.alloc(left.tensor.dtype, size, name);
    results.push(left.tensor.make(storage, outer, rowMajor, 0));
    args.push({ buffer: storage.buffer(name), offset: 0, strides: none });
  }
  if (size === 0) return results;
  const { program, uniforms } = built;
  runtime.launch(runtime.kernel(program), args, shape, uniforms(hyper), name, { hyper, uniforms });
  return results;
}

const none: readonly never[] = [];

function isMet(known: Met, { shape, starts, extras = none, into }: Contraction, operands: readonly Factor[]): boolean {
  if (known.dtype !== (operands[0] as Factor).tensor.dtype || known.changes !== (into !== undefined)) return false;
  if (known.strides.length !== operands.length || known.extras.length !== extras.length) return false;
  if (!sameShape(known.shape, shape) || !sameShape(known.starts, starts)) return false;
  for (let i = 0; i < operands.length; i++) {
    if (!sameShape(known.strides[i] as readonly number[], (operands[i] as Factor).strides)) return false;
  }
  for (let i = 0; i < extras.length; i++) if (dtypeOf(extras[i] as Factor | number) !== known.extras[i]) return false;
  return true;
}

const dtypeOf = (x: Factor | number): DType | null => (typeof x === "number" ? null : x.tensor.dtype);

function layoutOf(call: Contraction, epilogue: Epilogue, operands: readonly Factor[]): Laid {
  const known = met.get(epilogue.key, () => []);
  for (let i = 0; i < known.length; i++) {
    const found = known[i] as Met;
    if (!isMet(found, call, operands)) continue;
    if (i > 0) [known[0], known[i]] = [found, known[0] as Met];
    return found.laid;
  }
  const { shape, starts, extras = none, into } = call;
  const laid = layOut(call, epilogue, operands);
  const strides = operands.map((x) => x.strides);
  const { dtype } = call.left.tensor;
  known.unshift({ shape, starts, dtype, changes: into !== undefined, strides, extras: extras.map(dtypeOf), laid });
  if (known.length > remembered) known.pop();
  return laid;
}

function layOut(call: Contraction, epilogue: Epilogue, operands: readonly Factor[]): Laid {
  const { shape, starts, left, extras = none, into } = call;
  const outer = shape.slice(0, starts[2]);
  const strides = operands.map((x) => x.strides);
  const space = spaceOf(shape, starts, strides);
  const [rows, cols, inner] = space.starts as [number, number, number];
  const kept = space.shape.slice(0, inner);
  const ways = space.strides.slice(2).map((own) => accessOf(kept, own.slice(0, inner)));
  const axes = { batch: rows, rows: cols - rows, cols: inner - cols, inner: space.shape.length - inner };
  const key = `${epilogue.key}|${left.tensor.dtype}|${rows}.${cols}.${inner}.${axes.inner}|${extras.map((x) => dtypeOf(x) ?? "n")}|${ways}${into ? "+" : ""}`;
  return {
    outer,
    rowMajor: contiguousStrides(outer),
    size: sizeOf(outer),
    shape: space.shape,
    hands: space.strides.map((own, i) => (i < 2 ? own : ways[i - 2] === "strided" ? own.slice(0, inner) : [])),
    built: compiled.get(key, () => compile(call, epilogue, axes, ways)),
  };
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
