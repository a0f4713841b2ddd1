import type { Arg, ContractProgram, DType, Program } from "@descent/backend";
import type { ContractKernel, Dots, Pack } from "./contract-problem.ts";
import { emitDots, emitEpilogue, emitPack, emitSpread, stridedOf } from "./emit/contract.ts";
import { emitFoldColumns } from "./emit/fold-columns.ts";
import { emitFoldRows } from "./emit/fold-rows.ts";
import { emitGather, emitScan, emitScatter, emitSort } from "./emit/indexed.ts";
import { indented } from "./emit/loops.ts";
import { emitMap } from "./emit/map.ts";
import { isInteger } from "./emit/ops.ts";
import { type Runtime, runtime } from "./runtime.ts";

/** What a kernel does with a launch. */
export type Run = (args: readonly Arg[], shape: readonly number[], uniforms: readonly number[], label: string) => void;

export interface Compiled {
  readonly source: string;
  readonly run: Run;
}

/** Makes a function of generated code. Nothing in it comes from a user: names are numbers of bindings, axes and instructions. */
function generate<F>(source: string): F {
  const helpers = (Object.keys(Object.getOwnPropertyDescriptors(runtime)) as (keyof Runtime)[]).filter((name) =>
    new RegExp(`\\b${name}\\b`).test(source),
  );
  const code = `"use strict";\nconst { ${helpers.join(", ")} } = runtime;\nreturn ${source};`;
  return new Function("runtime", code)(runtime) as F;
}

const whole = (body: string): string => indented(`function run(args, shape, uniforms, label) {\n${body}\n}`);

/** Compiles a program to JavaScript. */
export function compile(program: Program): Compiled {
  if (program.kind === "contract") return compileContract(program);
  if (program.kind === "fold" && program.rank > program.reduced) return compileFold(program);
  const source = whole(emit(program));
  return { source, run: generate<Run>(source) };
}

function emit(program: Exclude<Program, ContractProgram>): string {
  switch (program.kind) {
    case "map":
      return emitMap(program);
    case "fold":
      return emitFoldRows(program);
    case "gather":
      return emitGather(program);
    case "scatter":
      return emitScatter(program);
    case "scan":
      return emitScan(program);
    case "sort":
      return emitSort(program);
  }
}

/** Below this many rows, folding them side by side does not pay. */
const fewRows = 8;

/** A fold has two forms; how the operands lie in memory decides at every launch. */
function compileFold(program: Extract<Program, { kind: "fold" }>): Compiled {
  const { bindings, rank, reduced } = program;
  const [side, along] = [rank - reduced - 1, rank - 1];
  const source = whole(emitFoldRows(program));
  const rows = generate<Run>(source);
  let columns: Run | null = null;
  const byColumns = (args: readonly Arg[], shape: readonly number[]): boolean => {
    if (shape[side]! < fewRows || shape[along]! < 2) return false;
    let balance = 0;
    for (let k = 0; k < bindings.length; k++) {
      const { access } = bindings[k]!;
      if (access === "flat") balance -= 1; // the folded axis is the one that lies together
      if (access !== "strided") continue;
      const { strides } = args[k]!;
      balance += Math.sign(Math.abs(strides[along]!) - Math.abs(strides[side]!));
    }
    return balance > 0;
  };
  const run: Run = (args, shape, uniforms, label) => {
    if (!byColumns(args, shape)) return rows(args, shape, uniforms, label);
    columns ??= generate<Run>(whole(emitFoldColumns(program)));
    columns(args, shape, uniforms, label);
  };
  return { source, run };
}

/** Functions that depend on element types alone; few, and shared by all programs, so that each runs hot. */
const shared = new Map<string, unknown>();
function once<F>(key: string, source: () => string): F {
  let made = shared.get(key);
  if (made === undefined) {
    made = generate<F>(indented(source().trim()));
    shared.set(key, made);
  }
  return made as F;
}

function compileContract(program: ContractProgram): Compiled {
  const { batch, rows, cols, inner, bindings, body } = program;
  const [left, right] = [bindings[0]!.dtype, bindings[1]!.dtype];
  const integer = isInteger(body.find(({ op }) => op === "accumulator")?.type ?? "f32");
  const pack = (dtype: DType) => once<Pack>(`pack ${dtype}`, () => emitPack(dtype));
  const dots = (few: DType, wide: DType) =>
    once<Dots>(`dots ${few} ${wide} ${integer}`, () => emitDots(few, wide, integer));
  const spread = (few: DType, wide: DType) =>
    integer ? dots(few, wide) : once<Dots>(`spread ${few} ${wide}`, () => emitSpread(few, wide));
  const source = indented(emitEpilogue(program));
  const kernel: ContractKernel = {
    axes: [batch, rows, cols, inner],
    packLeft: pack(left),
    packRight: pack(right),
    dots: [dots(left, right), dots(right, left)],
    spread: [spread(left, right), spread(right, left)],
    integer,
    strided: stridedOf(program),
    epilogue: generate(source),
  };
  return { source, run: (args, shape, uniforms) => runtime.contract(kernel, args, shape, uniforms) };
}
