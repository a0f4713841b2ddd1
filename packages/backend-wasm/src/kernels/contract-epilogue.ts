import { add, type Code, choose, get, i32, load, ltU, mul, simd, simdMemory, vectorConstant } from "../asm/code.ts";
import { bindConstants, emitInstructions, readUniform, type Sources } from "../emit/body.ts";
import { bytesOf, loadVector, type Reach, storeVector } from "../emit/storage.ts";
import type { Vector } from "../emit/vector.ts";
import { splat } from "../emit/vector.ts";
import type { ColumnWalk, ContractPlan } from "./contract-plan.ts";
import { isStrided } from "./layout.ts";

/** Bodies up to this many instructions are written once per register of the tile. */
const smallBody = 12;

interface Setting {
  readonly v: Vector;
  readonly plan: ContractPlan;
  readonly walks: readonly ColumnWalk[];
  readonly params: Code;
  /** Locals: address of each binding in this batch. */
  readonly places: readonly number[];
  readonly rowTables: ReadonlyMap<number, Code>;
  readonly columnTables: ReadonlyMap<number, Code>;
  readonly accumulators: readonly number[];
  readonly n: Code;
}

/** Where a tile lies: in the output, and (i, j) in the block. */
export interface Position {
  readonly batch: Code;
  readonly row: Code;
  readonly column: Code;
  readonly i: Code;
  readonly j: Code;
  /** Rows and columns left in the block from the tile on. */
  readonly rows: Code;
  readonly columns: Code;
  readonly m: Code;
}

interface Epilogue {
  /** Works on a whole tile of so many rows in registers; absent where the body is long or an operand has no plain stride. */
  readonly fromRegisters?: (position: Position, height: number) => void;
  /** Works on the part of a tile, kept in memory, that is inside the output. */
  readonly fromMemory: (tile: Code, position: Position) => void;
}

/** Prepares the body of a contract to run on tiles; emits what is common to all tiles at once. */
export function emitEpilogue(setting: Setting): Epilogue {
  const { v, plan, walks, params, places, rowTables, columnTables, accumulators, n } = setting;
  const { fn, width } = v;
  const tileRows = accumulators.length / 2;
  const { body, bindings, stores } = plan.program;
  const values: Code[] = [];
  bindConstants(v, plan.program, values);
  const used = bindings.map((_, b) => b > 1);
  const uniforms = body.flatMap(({ op }, id) => (op === "uniform" ? [id] : []));
  const never = (): Code => {
    throw new Error("unreachable");
  };
  emitInstructions(v, plan.program, uniforms, values, {
    load: never,
    index: never,
    uniform: (slot) => readUniform(plan.program, slot, params),
  });
  const varying = [...body.keys()].filter((id) => !values[id]);
  const usesIndex = body.some(({ op }) => op === "index");
  const reachOf = (b: number): Reach => (bindings[b]!.access === "single" || walks[b] === "0" ? "splat" : "vector");
  const oneByOne = usesIndex || walks.some((walk, b) => b > 1 && walk === "t");

  const rowBytes = bindings.map(({ dtype }, b) => (used[b] ? fn.int(mul(n, i32(bytesOf(dtype)))) : -1));

  /** Addresses of row `i` of the tile, from column 0 of the tile on, per binding. */
  const rowAddresses = (position: Position, i: Code): number[] =>
    bindings.map((binding, b) => {
      if (!used[b]) return -1;
      const place = get(places[b]!);
      if (binding.access === "single") return fn.int(place);
      if (isStrided(binding)) {
        const row = load(add(rowTables.get(b)!, mul(add(position.i, i), i32(4))));
        return fn.int(add(place, row));
      }
      const linear = add(mul(add(mul(position.batch, position.m), add(position.row, i)), n), position.column);
      return fn.int(add(place, mul(linear, i32(bytesOf(binding.dtype)))));
    });

  const element = (accumulator: Code, at: (b: number) => Code, sources: Partial<Sources>, ahead = 0) => {
    emitInstructions(v, plan.program, varying, values, {
      load: (b) => loadVector(v, bindings[b]!.dtype, reachOf(b), at(b), ahead),
      accumulator: () => accumulator,
      index: never,
      uniform: never,
      ...sources,
    });
    for (const { binding, value } of stores) {
      storeVector(v, bindings[binding]!.dtype, "vector", at(binding), values[value]!, ahead);
    }
  };
  /** Where column `j` of the tile lies, from the address of its row. */
  const moved = (address: number, b: number, position: Position, j: Code): Code => {
    const binding = bindings[b]!;
    if (binding.access === "single") return get(address);
    if (isStrided(binding)) return add(get(address), load(add(columnTables.get(b)!, mul(add(position.j, j), i32(4)))));
    return add(get(address), mul(j, i32(bytesOf(binding.dtype))));
  };

  const fromRegisters = (position: Position, height: number) => {
    // The row after: as many bytes on, or what the next entry of its table says.
    const next = (row: number, b: number, i: number): number => {
      const binding = bindings[b]!;
      if (!used[b] || binding.access === "single") return row;
      if (!isStrided(binding)) return fn.int(add(get(row), get(rowBytes[b]!)));
      const entry = add(rowTables.get(b)!, mul(position.i, i32(4)));
      return fn.int(add(get(places[b]!), load(entry, 4 * i)));
    };
    let rows = rowAddresses(position, i32(0));
    for (let i = 0; i < height; i++) {
      if (i > 0) rows = rows.map((row, b) => next(row, b, i));
      const starts = rows.map((address, b) => (used[b] ? get(fn.int(moved(address, b, position, i32(0)))) : 0));
      for (let half = 0; half < 2; half++) {
        element(get(accumulators[2 * i + half]!), (b) => starts[b]!, {}, half * width);
      }
    }
  };

  const fromMemory = (tile: Code, position: Position) => {
    const least = (a: Code, b: number) => get(fn.int(choose(ltU(a, i32(b)), a, i32(b))));
    const rows = least(position.rows, tileRows);
    const columns = least(position.columns, 2 * width);
    const size = 16 / width;
    const i = fn.int(i32(0));
    fn.while(ltU(get(i), rows), () => {
      const addresses = rowAddresses(position, get(i));
      const j = fn.int(i32(0));
      const source = fn.int(add(tile, mul(get(i), i32(32))));
      const step = (lanes: number) => {
        v.lanes = lanes;
        const at = new Map<number, Code>();
        bindings.forEach((_, b) => {
          if (used[b]) at.set(b, get(fn.int(moved(addresses[b]!, b, position, get(j)))));
        });
        const accumulator = simdMemory(0, 0, get(source));
        element(accumulator, (b) => at.get(b)!, {
          index: (axis) => emitIndex(setting, position, get(i), get(j), axis),
        });
        fn.set(j, add(get(j), i32(lanes)));
        fn.set(source, add(get(source), i32(size * lanes)));
        v.lanes = width;
      };
      if (!oneByOne) fn.while(ltU(add(get(j), i32(width - 1)), columns), () => step(width));
      fn.while(ltU(get(j), columns), () => step(1));
      fn.set(i, add(get(i), i32(1)));
    });
  };
  const direct = !oneByOne && body.length <= smallBody;
  return direct ? { fromRegisters, fromMemory } : { fromMemory };
}

/** The linear index of an element; single axes are worked out by the caller's fallback. */
function emitIndex({ v, n }: Setting, position: Position, i: Code, j: Code, axis: number): Code {
  if (axis !== -1) throw new Error("axes of a contract are merged");
  const row = add(mul(position.batch, position.m), add(position.row, i));
  const linear = add(mul(row, n), add(position.column, j));
  const iota = v.fn.constant("iota", 0x7b, vectorConstant([0, 1, 2, 3]));
  return simd(174, splat("i32", linear), iota);
}
