import type { DType, ValueType } from "./dtype.ts";
import { DescentError } from "./error.ts";
import type { Op } from "./ops.ts";
import { evaluate } from "./ops.ts";
import type {
  Binding,
  BodyProgram,
  ContractProgram,
  FoldProgram,
  GatherProgram,
  Instruction,
  MapProgram,
  Program,
  ScanProgram,
  ScatterProgram,
  SortProgram,
} from "./program.ts";
import type { Node, Trace } from "./trace.ts";

/** A finished trace: the program, and how its uniforms follow from the hyperparameters. */
export interface Built<P extends BodyProgram = BodyProgram> {
  readonly program: P;
  /** Evaluates the host part in double precision: hyperparameters in, uniforms out. */
  readonly uniforms: (hyper: readonly number[]) => number[];
}

/** What a contract says beyond its trace: how many axes play each part. */
export interface ContractAxes {
  readonly batch: number;
  readonly rows: number;
  readonly cols: number;
  readonly inner: number;
}

const showNumber = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
const bindingKey = ({ dtype, access, mode }: Binding): string => `${dtype}.${access}.${mode}`;

/** The one spelling of a program's structure; equal keys mean equal programs. */
function bodyKey(
  head: string,
  bindings: readonly Binding[],
  body: readonly Instruction[],
  stores: readonly { binding: number; value: number }[],
): string {
  const lines = body.map(
    ({ op, type, args, imm }) => `${op}:${type}(${args.join(",")}${imm === undefined ? "" : `;${showNumber(imm)}`})`,
  );
  return `${head}|${bindings.map(bindingKey).join(",")}|${lines.join(" ")}|${stores.map((s) => `${s.binding}=${s.value}`).join(",")}`;
}

/** Keeps what the stores need, numbers it anew, and splits off the host part. */
function split(trace: Trace): {
  body: Instruction[];
  stores: { binding: number; value: number }[];
  slots: number[];
  uniforms: ValueType[];
} {
  const live = new Set<number>();
  const visit = (id: number): void => {
    if (live.has(id)) return;
    live.add(id);
    const node = trace.node(id);
    if (node.op === "uniform") return;
    for (const arg of node.op === "ruled" ? node.args.slice(0, 1) : node.args) visit(arg);
  };
  for (const { value } of trace.stores) visit(value);
  const body: Instruction[] = [];
  const number = new Map<number, number>();
  const slots: number[] = [];
  const uniforms: ValueType[] = [];
  for (const id of [...live].sort((a, b) => a - b)) {
    const { op, type, args, imm } = trace.node(id);
    if (op === "placeholder") {
      throw new DescentError("program", "build", "a result depends on the value of an input that is not read", {
        slot: imm,
      });
    }
    if (op === "detach" || op === "alias" || op === "ruled") {
      number.set(id, number.get(args[0] as number) as number);
    } else if (op === "uniform") {
      number.set(id, body.push({ op, type, args: [], imm: slots.push(args[0] as number) - 1 }) - 1);
      uniforms.push(type);
    } else {
      const renumbered = args.map((arg) => number.get(arg) as number);
      number.set(
        id,
        body.push({ op: op as Instruction["op"], type, args: renumbered, ...(imm !== undefined && { imm }) }) - 1,
      );
    }
  }
  const stores = trace.stores.map(({ binding, value }) => ({ binding, value: number.get(value) as number }));
  return { body, stores, slots, uniforms };
}

/** The host part as a function: every host instruction in order, in double precision. */
function hostPart(nodes: readonly Node[], slots: readonly number[]): (hyper: readonly number[]) => number[] {
  const needed = new Set<number>();
  const visit = (id: number): void => {
    if (needed.has(id)) return;
    needed.add(id);
    for (const arg of (nodes[id] as Node).args) visit(arg);
  };
  for (const slot of slots) visit(slot);
  const order = [...needed].sort((a, b) => a - b);
  const values: number[] = [];
  return (hyper) => {
    for (const id of order) {
      const { op, args, imm } = nodes[id] as Node;
      if (op === "const") values[id] = imm as number;
      else if (op === "hyper") values[id] = hyper[imm as number] as number;
      else
        values[id] = evaluate(
          op as Op,
          "f64",
          args.map((arg) => values[arg] as number),
          "f64",
        );
    }
    return slots.map((slot) => values[slot] as number);
  };
}

function finish<P extends BodyProgram>(
  trace: Trace,
  head: string,
  shape: Omit<P, "key" | "bindings" | "uniforms" | "body" | "stores">,
): Built<P> {
  const { body, stores, slots, uniforms } = split(trace);
  const bindings = [...trace.bindings];
  const program = {
    ...shape,
    key: bodyKey(head, bindings, body, stores),
    bindings,
    uniforms,
    body,
    stores,
  } as unknown as P;
  return { program, uniforms: hostPart(trace.nodes, slots) };
}

/** Finishes a trace of kind map. */
export const buildMap = (trace: Trace): Built<MapProgram> =>
  finish<MapProgram>(trace, `map${trace.rank}`, { kind: "map", rank: trace.rank });

/** Finishes a trace of kind fold. */
export const buildFold = (trace: Trace): Built<FoldProgram> =>
  finish<FoldProgram>(trace, `fold${trace.rank}.${trace.reduced}`, {
    kind: "fold",
    rank: trace.rank,
    reduced: trace.reduced,
  });

/** Finishes a trace of kind contract; its first two bindings are the operands, made with `bind`. */
export const buildContract = (trace: Trace, axes: ContractAxes): Built<ContractProgram> =>
  finish<ContractProgram>(trace, `contract${axes.batch}.${axes.rows}.${axes.cols}.${axes.inner}`, {
    kind: "contract",
    ...axes,
  });

const read = (dtype: DType): Binding => ({ dtype, access: "strided", mode: "read" });
const write = (dtype: DType): Binding => ({ dtype, access: "flat", mode: "write" });
const keyed = <P extends Program>(head: string, program: Omit<P, "key">): P =>
  ({ ...program, key: `${head}|${program.bindings.map(bindingKey).join(",")}` }) as unknown as P;

/** A gather of `dtype` elements by `index` over `rank` axes. */
export const buildGather = (rank: number, dtype: DType, index: DType): GatherProgram =>
  keyed<GatherProgram>(`gather${rank}`, {
    kind: "gather",
    rank,
    bindings: [read(dtype), read(index), write(dtype)],
    uniforms: ["i32", "i32"],
  });

/** A scatter of `dtype` elements by `index` over `rank` axes. */
export const buildScatter = (rank: number, mode: ScatterProgram["mode"], dtype: DType, index: DType): ScatterProgram =>
  keyed<ScatterProgram>(`scatter${rank}.${mode}`, {
    kind: "scatter",
    rank,
    mode,
    bindings: [{ dtype, access: "strided", mode: "update" }, read(index), read(dtype)],
    uniforms: ["i32", "i32"],
  });

/** A running fold along the last axis; `max` and `min` give indices too. */
export const buildScan = (rank: number, reducer: ScanProgram["reducer"], dtype: DType): ScanProgram =>
  keyed<ScanProgram>(`scan${rank}.${reducer}`, {
    kind: "scan",
    rank,
    reducer,
    bindings: [read(dtype), write(dtype), ...(reducer === "max" || reducer === "min" ? [write("int64")] : [])],
    uniforms: [],
  });

/** A stable sort along the last axis, with indices. */
export const buildSort = (rank: number, descending: boolean, dtype: DType): SortProgram =>
  keyed<SortProgram>(`sort${rank}.${descending}`, {
    kind: "sort",
    rank,
    descending,
    bindings: [read(dtype), write(dtype), write("int64")],
    uniforms: [],
  });
