import {
  type Built,
  buildFold,
  buildMap,
  Cache,
  type DType,
  type FoldProgram,
  type Kernel,
  type MapProgram,
  type Mask,
  Trace,
  type Value,
  valueType,
} from "@descent/backend";
import type { Layout } from "./layout.ts";
import { type Plan, planLaunch } from "./plan.ts";
import type { Tensor } from "./tensor.ts";

/** How a traced operation takes an operand: as a number of the computing type, or as a truth value. */
export type Take = "number" | "mask";

/**
 * An operation given as a function of values: traced once per structure into one program, however many operands and results.
 * With `dims` in the call it is a row operation and may fold; its derivative is derived from the trace.
 */
export interface Traced {
  readonly name: string;
  /** Distinguishes structure: the name, and every option that is not a number. */
  readonly key: string;
  /** Operands in, results out. `count` is the number of elements of a row, as a number for arithmetic. */
  readonly body: (x: readonly Value[], trace: Trace, count: Value) => readonly (Value | Mask)[];
  /** What the operands are computed in. */
  readonly dtype: (operands: readonly (Tensor | number)[]) => DType;
  /** dtypes of the results; default: the computing dtype, each. */
  readonly outputs?: (computed: DType) => readonly DType[];
  /** How each operand is taken; default: all as numbers. Masks are handed to `body` in the place of values. */
  readonly takes?: readonly Take[];
  /** Whether operands named in `into` are only written, never read. */
  readonly overwrites?: boolean;
  /** Per result, in a row operation: whether it is one per row. Default: none is. */
  readonly perRow?: readonly boolean[];
}

export interface TracedCall {
  /** Axes (of the broadcast shape, ascending) that make up a row. */
  readonly dims?: readonly number[];
  /** The shape to broadcast to. Default: what the operands broadcast to among themselves. */
  readonly shape?: readonly number[];
  /** For each result, the operand that it overwrites (null: a new tensor). */
  readonly into?: readonly (number | null)[];
  /** Whether results are row-major whatever the operands' layout. Default: they lie as the operands do. */
  readonly contiguous?: boolean;
}

type Compiled = Built<MapProgram | FoldProgram>;
const compiled = new Cache<string, Compiled>(4000);

/** A traced operation that is planned and compiled, but not run: all that changes between runs is handed in by the caller. */
export interface Prepared {
  readonly plan: Plan;
  readonly kernel: Kernel;
  /** Numbers for the launch from `plan.hyper`: the row length, then every operand that is a number. */
  readonly uniforms: (hyper: readonly number[]) => number[];
}

/** Programs by layout, which is one object for as long as it is remembered: a hit costs no look at the long key. */
const known = new WeakMap<Layout, Compiled>();

function programOf(spec: Traced, operands: readonly (Tensor | number)[], computed: DType, layout: Layout): Compiled {
  let found = known.get(layout);
  if (found === undefined) {
    const key = `${spec.key}|${computed}|${layout.key}`;
    found = compiled.get(key, () => compile(spec, operands, computed, layout));
    known.set(layout, found);
  }
  return found;
}

/** Plans and compiles a traced operation, for callers that run it many times on the same memory. */
export function prepareTraced(spec: Traced, operands: readonly (Tensor | number)[], call: TracedCall = {}): Prepared {
  const computed = spec.dtype(operands);
  const outputs = spec.outputs?.(computed) ?? [computed];
  const plan = planLaunch(spec, operands, outputs, computed, call);
  const { program, uniforms } = programOf(spec, operands, computed, plan.layout);
  return { plan, kernel: plan.runtime.kernel(program), uniforms };
}

/** Runs a traced operation: one launch. Records nothing; `applyTraced` in `differentiate.ts` does. */
export function runTraced(spec: Traced, operands: readonly (Tensor | number)[], call: TracedCall = {}): Tensor[] {
  const { plan, kernel, uniforms } = prepareTraced(spec, operands, call);
  const host = { hyper: plan.hyper, uniforms };
  plan.runtime.launch(kernel, plan.args, plan.shape, uniforms(plan.hyper), spec.name, host);
  const { into, results } = plan;
  for (let i = 0; i < into.length; i++) if (into[i] !== null) (results[i] as Tensor).storage.version++;
  return results;
}

/** Takes an operand as `body` wants it. */
function taken(loaded: Value | Mask, take: Take, computed: DType): Value {
  const type = valueType(computed);
  if (take === "mask") return (loaded.type === "mask" ? loaded : (loaded as Value).ne(0)) as unknown as Value;
  if (loaded.type === "mask") return (loaded as Mask).select(1, 0, type === "mask" ? "i32" : type);
  return (loaded as Value).cast(type === "mask" ? "i32" : type);
}

/** A number for an unsigned program wraps around as its arithmetic does: −1 is the largest one. */
const wrapped = (hyper: Value, computed: DType): Value =>
  valueType(computed) === "u32" ? hyper.trunc().remainder(2 ** 32) : hyper;

function compile(spec: Traced, operands: readonly (Tensor | number)[], computed: DType, layout: Layout): Compiled {
  const { rank, reduced } = layout;
  const trace = new Trace(reduced === null ? { kind: "map", rank } : { kind: "fold", rank, reduced });
  const bound: (number | null)[] = [];
  let slot = 0;
  const count = trace.hyper(slot++);
  const values = operands.map((operand, i): Value => {
    const take = spec.takes?.[i] ?? "number";
    if (typeof operand === "number") {
      bound.push(null);
      return taken(wrapped(trace.hyper(slot++), computed), take, computed);
    }
    const { access, mode, same } = layout.operands[i] as NonNullable<Layout["operands"][number]>;
    const binding = same === null ? trace.bind(operand.dtype, access, mode) : (bound[same] as number);
    bound.push(binding);
    // An operand that is only overwritten has no value to give; a placeholder says so if the body asks for it.
    if (mode === "write") return trace.placeholder(i, valueType(computed), "element") as Value;
    return taken(trace.load(binding), take, computed);
  });
  const results = spec.body(values, trace, count);
  results.forEach((result, i) => {
    const into = layout.into[i] ?? null;
    const { dtype, access } = layout.outputs[i] as Layout["outputs"][number];
    const binding = into === null ? trace.bind(dtype, access, "write") : (bound[into] as number);
    trace.store(binding, storable(trace, result, dtype));
  });
  return reduced === null ? buildMap(trace) : buildFold(trace);
}

/** A result as its dtype stores it: numbers become masks for bool, masks become 1 and 0 for the others. */
function storable(trace: Trace, result: Value | Mask, dtype: DType): Value | Mask {
  const type = valueType(dtype);
  if (type === "mask") return result.type === "mask" ? result : (result as Value).ne(0);
  if (result.type !== "mask") return result;
  return trace.select(result as Mask, 1, 0, type);
}
