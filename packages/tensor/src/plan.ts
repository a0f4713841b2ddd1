import { type Arg, type Buffer, Cache, DescentError, type DType } from "@descent/backend";
import { type Layout, layOut, separate, twin } from "./layout.ts";
import type { Runtime } from "./runtime.ts";
import type { Tensor } from "./tensor.ts";
import type { Traced, TracedCall } from "./traced.ts";

/** One launch of a traced operation, all but its kernel. */
export interface Plan {
  readonly layout: Layout;
  readonly runtime: Runtime;
  readonly args: readonly Arg[];
  readonly shape: readonly number[];
  /** The row length, then every operand that is a number. */
  readonly hyper: readonly number[];
  readonly into: readonly (number | null)[];
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

/** A situation that was laid out before. Most calls meet one again: comparing is far cheaper than laying out anew. */
interface Met {
  readonly computed: DType;
  readonly dtypes: readonly DType[];
  readonly perRow: Traced["perRow"];
  readonly call: TracedCall;
  /** Per operand: what decided; null for a number. */
  readonly operands: readonly ((Pick<Tensor, "dtype" | "shape" | "strides"> & { readonly twin: number }) | null)[];
  readonly layout: Layout;
}

type List = readonly (number | string | boolean | null)[] | undefined;

function equal(a: List, b: List): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** What an operation is asked for, beside its operands. */
type Asked = Pick<Met, "computed" | "dtypes" | "perRow" | "call">;

function isMet(met: Met, operands: readonly (Tensor | number)[], { computed, dtypes, perRow, call }: Asked): boolean {
  if (met.computed !== computed || met.operands.length !== operands.length) return false;
  if (!equal(met.dtypes, dtypes) || !equal(met.perRow, perRow)) return false;
  const before = met.call;
  if (call !== before) {
    if (!equal(call.dims, before.dims) || !equal(call.into, before.into)) return false;
    if (!equal(call.shape, before.shape) || call.contiguous !== before.contiguous) return false;
  }
  for (let i = 0; i < operands.length; i++) {
    const [x, seen] = [operands[i] as Tensor | number, met.operands[i] as Met["operands"][number]];
    if (typeof x === "number" || seen === null) {
      if (typeof x !== "number" || seen !== null) return false;
    } else if (x.dtype !== seen.dtype || !equal(x.shape, seen.shape) || !equal(x.strides, seen.strides)) return false;
    else if (i > 0 && twin(operands, i) !== seen.twin) return false;
  }
  return true;
}

/** Situations of each operation, the latest first, and how many are remembered. */
const met = new Cache<string, Met[]>(2000);
const remembered = 6;

function layoutOf(spec: Traced, operands: readonly (Tensor | number)[], asked: Asked): Layout {
  const known = met.get(spec.key, () => []);
  for (let i = 0; i < known.length; i++) {
    const found = known[i] as Met;
    if (!isMet(found, operands, asked)) continue;
    if (i > 0) [known[0], known[i]] = [found, known[0] as Met];
    return found.layout;
  }
  const layout = layOut(spec, operands, asked.dtypes, asked.call);
  const seen = operands.map((x, i) =>
    typeof x === "number" ? null : { dtype: x.dtype, shape: x.shape, strides: x.strides, twin: twin(operands, i) },
  );
  known.unshift({ ...asked, operands: seen, layout });
  if (known.length > remembered) known.pop();
  return layout;
}

/** Plans one launch of `spec`, computed in `computed`, with results of `dtypes`: makes the results and gathers what goes along. */
export function planLaunch(
  spec: Traced,
  given: readonly (Tensor | number)[],
  dtypes: readonly DType[],
  computed: DType,
  call: TracedCall,
): Plan {
  const runtime = commonRuntime(spec.name, given);
  const operands = separate(spec, given, call.into);
  const layout = layoutOf(spec, operands, { computed, dtypes, perRow: spec.perRow, call });
  const { outputs, into, hands, shape } = layout;
  const hyper = [layout.count];
  let maker: Tensor | null = null;
  const buffers: Buffer[] = [];
  for (const x of operands) {
    if (typeof x === "number") hyper.push(x);
    else maker ??= x;
  }
  for (const { from } of hands) {
    if (from >= 0) buffers.push((operands[from] as Tensor).storage.buffer(spec.name)); // refuses what was given back, before anything is made
  }
  const results: Tensor[] = [];
  for (let i = 0; i < outputs.length; i++) {
    const { dtype, shape: extents, strides, size } = outputs[i] as Layout["outputs"][number];
    const target = into[i] ?? null;
    if (target !== null) results.push(given[target] as Tensor);
    else results.push((maker as Tensor).make(runtime.memory.alloc(dtype, size, spec.name), extents, strides, 0));
  }
  const args: Arg[] = [];
  for (const { from, strides } of hands) {
    const x = (from >= 0 ? operands[from] : results[-1 - from]) as Tensor;
    const buffer = from >= 0 ? (buffers[args.length] as Buffer) : x.storage.buffer(spec.name);
    args.push({ buffer, offset: x.offset, strides });
  }
  return { layout, runtime, args, shape, hyper, into, results };
}
