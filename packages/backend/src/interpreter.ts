import type { Arg, Launch } from "./backend.ts";
import type { HostArray } from "./dtype.ts";
import { decode, encode } from "./element.ts";
import { DescentError } from "./error.ts";
import { sizeOf } from "./layout.ts";
import { evaluate, type Op } from "./ops.ts";
import type {
  Binding,
  BodyProgram,
  ContractProgram,
  FoldProgram,
  GatherProgram,
  Instruction,
  MapProgram,
  Reducer,
  ScanProgram,
  ScatterProgram,
  SortProgram,
} from "./program.ts";
import { schedule } from "./stages.ts";

/** A launch whose buffers are host arrays. */
export interface HostLaunch extends Omit<Launch, "args" | "kernel"> {
  readonly program: Launch["kernel"]["program"];
  readonly args: readonly (Omit<Arg, "buffer"> & { readonly data: HostArray })[];
}

type HostArg = HostLaunch["args"][number];

/** Runs one launch element by element, in double precision rounded after every instruction. The slow definition of every program. */
export function interpret(launch: HostLaunch): void {
  const { program } = launch;
  switch (program.kind) {
    case "map":
      return interpretMap(program, launch);
    case "fold":
      return interpretFold(program, launch);
    case "contract":
      return interpretContract(program, launch);
    case "gather":
      return interpretGather(program, launch);
    case "scatter":
      return interpretScatter(program, launch);
    case "scan":
      return interpretScan(program, launch);
    case "sort":
      return interpretSort(program, launch);
  }
}

/** Calls `visit` with every index of `shape`, in row-major order; the array is reused. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], linear: number) => void,
): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let linear = 0; linear < size; linear++) {
    visit(index, linear);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      index[axis] = next < (shape[axis] as number) ? next : 0;
      if (next < (shape[axis] as number)) break;
    }
  }
}

const dot = (index: readonly number[], strides: readonly number[]): number =>
  strides.reduce((sum, stride, axis) => sum + stride * (index[axis] ?? 0), 0);
const at = (data: HostArray, position: number): number => data[position] as number;

/** Where the current index finds its element of a binding. */
function address(
  { access }: Binding,
  { offset, strides }: HostArg,
  index: readonly number[],
  linear: number,
  row: number,
): number {
  if (access === "single") return offset;
  if (access === "flat") return offset + linear;
  if (access === "row") return offset + row;
  return offset + dot(index, strides);
}

interface Cursor {
  readonly index: readonly number[];
  readonly linear: number;
  readonly row: number;
  readonly accumulator?: number;
}

/** Evaluates instructions `ids` into `values` at one index. */
function step(program: BodyProgram, launch: HostLaunch, ids: Iterable<number>, values: number[], cursor: Cursor): void {
  const { index, linear, row } = cursor;
  for (const id of ids) {
    const { op, type, args, imm } = program.body[id] as Instruction;
    if (op === "const") values[id] = evaluate("cast", type, [imm as number], "f64");
    else if (op === "uniform") values[id] = evaluate("cast", type, [launch.uniforms[imm as number] as number], "f64");
    else if (op === "index") values[id] = imm === -1 ? linear : (index[imm as number] as number);
    else if (op === "accumulator") values[id] = cursor.accumulator as number;
    else if (op === "load") {
      const binding = program.bindings[imm as number] as Binding;
      const arg = launch.args[imm as number] as HostArg;
      values[id] = decode(binding.dtype, at(arg.data, address(binding, arg, index, linear, row)));
    } else {
      const argType = (program.body[args[0] as number] as Instruction).type;
      const operandType = op === "select" ? type : argType;
      values[id] = evaluate(
        op as Op,
        type,
        args.map((arg) => values[arg] as number),
        operandType,
      );
    }
  }
}

function store(
  program: BodyProgram,
  launch: HostLaunch,
  stores: BodyProgram["stores"],
  values: readonly number[],
  cursor: Cursor,
): void {
  for (const { binding, value } of stores) {
    const { dtype } = program.bindings[binding] as Binding;
    const arg = launch.args[binding] as HostArg;
    const position = address(program.bindings[binding] as Binding, arg, cursor.index, cursor.linear, cursor.row);
    arg.data[position] = encode(dtype, values[value] as number);
  }
}

function interpretMap(program: MapProgram, launch: HostLaunch): void {
  const values: number[] = [];
  forEachIndex(launch.shape, (index, linear) => {
    const cursor = { index, linear, row: 0 };
    step(program, launch, program.body.keys(), values, cursor);
    store(program, launch, program.stores, values, cursor);
  });
}

const isInteger = (type: Instruction["type"]): boolean => type === "i32" || type === "u32";

/** What a fold of nothing gives. */
export function identity(reducer: Reducer, type: Instruction["type"]): number {
  if (reducer === "sum" || reducer === "argmax" || reducer === "argmin") return 0;
  if (reducer === "prod") return 1;
  if (type === "u32") return reducer === "max" ? 0 : 0xffffffff;
  if (isInteger(type)) return reducer === "max" ? -0x80000000 : 0x7fffffff;
  return reducer === "max" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Folds values as they come. Floats accumulate in double precision; NaN wins every extremum, the first one. */
class Fold {
  readonly #reducer: Reducer;
  readonly #integer: boolean;
  #best: number;
  #place = 0;

  constructor(reducer: Reducer, type: Instruction["type"]) {
    this.#reducer = reducer;
    this.#integer = isInteger(type);
    const extremum = reducer === "argmax" ? "max" : reducer === "argmin" ? "min" : reducer;
    this.#best = identity(extremum, type);
  }

  add(value: number, place: number): void {
    const best = this.#best;
    if (this.#reducer === "sum") this.#best = this.#integer ? (best + value) | 0 : best + value;
    else if (this.#reducer === "prod") this.#best = this.#integer ? Math.imul(best, value) : best * value;
    else {
      const wins = Number.isNaN(best)
        ? false
        : Number.isNaN(value) || place === 0 || (this.#reducer.endsWith("max") ? value > best : value < best);
      if (wins) [this.#best, this.#place] = [value, place];
    }
  }

  get result(): number {
    return this.#reducer.startsWith("arg") ? this.#place : this.#best;
  }
}

function interpretFold(program: FoldProgram, launch: HostLaunch): void {
  const kept = launch.shape.slice(0, program.rank - program.reduced);
  const inner = launch.shape.slice(program.rank - program.reduced);
  const width = sizeOf(inner);
  const plan = schedule(program);
  const values: number[] = [];
  forEachIndex(kept, (outer, row) => {
    const rowCursor = { index: outer, linear: row * width, row };
    step(program, launch, plan.before, values, rowCursor);
    plan.stages.forEach(({ element, folds, row: after }, pass) => {
      const instruction = (id: number) => program.body[id] as Instruction;
      const running = folds.map(
        (id) => new Fold(instruction(id).op.slice(5) as Reducer, instruction(instruction(id).args[0] as number).type),
      );
      forEachIndex(inner, (within, place) => {
        const cursor = { index: [...outer, ...within], linear: row * width + place, row };
        step(program, launch, element, values, cursor);
        folds.forEach((id, k) => {
          running[k]?.add(values[instruction(id).args[0] as number] as number, place);
        });
        if (pass === plan.stages.length - 1) store(program, launch, plan.elementStores, values, cursor);
      });
      folds.forEach((id, k) => {
        values[id] = evaluate(
          "cast",
          instruction(id).type,
          [running[k]?.result as number],
          isInteger(instruction(id).type) ? "i32" : "f64",
        );
      });
      step(program, launch, after, values, rowCursor);
    });
    store(program, launch, plan.rowStores, values, rowCursor);
  });
}

function interpretContract(program: ContractProgram, launch: HostLaunch): void {
  const outer = program.batch + program.rows + program.cols;
  const inner = launch.shape.slice(outer);
  const [left, right] = launch.args as [HostArg, HostArg];
  const [leftType, rightType] = program.bindings.map(({ dtype }) => dtype) as [Binding["dtype"], Binding["dtype"]];
  const values: number[] = [];
  const type = program.body.find(({ op }) => op === "accumulator")?.type ?? "f32";
  forEachIndex(launch.shape.slice(0, outer), (index, linear) => {
    const [startLeft, startRight] = [
      left.offset + dot(index, left.strides.slice(0, outer)),
      right.offset + dot(index, right.strides.slice(0, outer)),
    ];
    let sum = 0;
    forEachIndex(inner, (k) => {
      const a = decode(leftType, at(left.data, startLeft + dot(k, left.strides.slice(outer))));
      const b = decode(rightType, at(right.data, startRight + dot(k, right.strides.slice(outer))));
      sum = isInteger(type) ? (sum + Math.imul(a, b)) | 0 : sum + a * b;
    });
    const cursor = {
      index,
      linear,
      row: 0,
      accumulator: evaluate("cast", type, [sum], isInteger(type) ? "i32" : "f64"),
    };
    step(program, launch, program.body.keys(), values, cursor);
    store(program, launch, program.stores, values, cursor);
  });
}

/** The index a gather or scatter uses, checked against the extent of its axis. */
function checkedIndex(launch: HostLaunch, binding: number, index: readonly number[]): number {
  const arg = launch.args[binding] as HostArg;
  const chosen = at(arg.data, arg.offset + dot(index, arg.strides));
  const extent = launch.uniforms[1] as number;
  if (chosen >= 0 && chosen < extent) return chosen;
  throw new DescentError(
    "argument",
    launch.label,
    "index out of range",
    { index: chosen, extent },
    `Indices run from 0 to ${extent - 1}.`,
  );
}

/** Checks every index before anything is written. */
function checkIndices(launch: HostLaunch, binding: number): void {
  forEachIndex(launch.shape, (index) => {
    checkedIndex(launch, binding, index);
  });
}

function interpretGather(_program: GatherProgram, launch: HostLaunch): void {
  const [source, , out] = launch.args as [HostArg, HostArg, HostArg];
  const stride = launch.uniforms[0] as number;
  checkIndices(launch, 1);
  forEachIndex(launch.shape, (index, linear) => {
    out.data[out.offset + linear] = at(
      source.data,
      source.offset + dot(index, source.strides) + stride * checkedIndex(launch, 1, index),
    );
  });
}

function interpretScatter(program: ScatterProgram, launch: HostLaunch): void {
  const [target, , source] = launch.args as [HostArg, HostArg, HostArg];
  const stride = launch.uniforms[0] as number;
  const { dtype } = program.bindings[0] as Binding;
  checkIndices(launch, 1);
  forEachIndex(launch.shape, (index) => {
    const place = target.offset + dot(index, target.strides) + stride * checkedIndex(launch, 1, index);
    const value = decode(dtype, at(source.data, source.offset + dot(index, source.strides)));
    target.data[place] = encode(dtype, program.mode === "sum" ? decode(dtype, at(target.data, place)) + value : value);
  });
}

function interpretScan(program: ScanProgram, launch: HostLaunch): void {
  const [input, output, places] = launch.args as [HostArg, HostArg, HostArg | undefined];
  const { dtype } = program.bindings[0] as Binding;
  const type =
    dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16" ? "f64" : "i32";
  const length = launch.shape.at(-1) as number;
  let running = 0;
  let place = 0;
  forEachIndex(launch.shape, (index, linear) => {
    const value = decode(dtype, at(input.data, input.offset + dot(index, input.strides)));
    const first = linear % length === 0;
    if (first) running = identity(program.reducer, type);
    if (program.reducer === "sum") running += value;
    else if (program.reducer === "prod") running *= value;
    // As PyTorch: a later equal element replaces an earlier one, and so does a later NaN.
    else if (first || Number.isNaN(value) || (program.reducer === "max" ? value >= running : value <= running))
      [running, place] = [value, linear % length];
    output.data[output.offset + linear] = encode(dtype, type === "i32" ? running | 0 : running);
    if (places) places.data[places.offset + linear] = place;
  });
}

/** Orders numbers with NaN as the largest. */
export const compareNumbers = (a: number, b: number): number =>
  Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b || 0;

function interpretSort(program: SortProgram, launch: HostLaunch): void {
  const [input, values, indices] = launch.args as [HostArg, HostArg, HostArg];
  const { dtype } = program.bindings[0] as Binding;
  const length = launch.shape.at(-1) as number;
  const inner = input.strides.at(-1) as number;
  let line = 0;
  forEachIndex(launch.shape.slice(0, -1), (index) => {
    const start = input.offset + dot(index, input.strides.slice(0, -1));
    const stored = Array.from({ length }, (_, k) => at(input.data, start + k * inner));
    const numbers = stored.map((bits) => decode(dtype, bits));
    const order = [...stored.keys()].sort((a, b) => {
      const difference = compareNumbers(numbers[a] as number, numbers[b] as number);
      return program.descending ? -difference : difference;
    });
    order.forEach((from, to) => {
      values.data[values.offset + line * length + to] = stored[from] as number;
      indices.data[indices.offset + line * length + to] = from;
    });
    line++;
  });
}
