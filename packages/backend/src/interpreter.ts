import { decode, encode } from "./element.ts";
import { interpretGather, interpretScatter } from "./interpret-indexed.ts";
import { interpretScan, interpretSort } from "./interpret-lines.ts";
import { sizeOf } from "./layout.ts";
import { evaluate, type Op } from "./ops.ts";
import type {
  Binding,
  BodyProgram,
  ContractProgram,
  FoldProgram,
  Instruction,
  MapProgram,
  Reducer,
} from "./program.ts";
import { schedule } from "./stages.ts";
import { at, dot, forEachIndex, type HostArg, type HostLaunch, identity, isInteger } from "./walk.ts";

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
