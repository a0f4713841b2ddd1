import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import {
  add,
  and,
  type Code,
  choose,
  divU,
  eq,
  get,
  I32,
  i32,
  leU,
  load,
  ltU,
  mul,
  remU,
  simdMemory,
  sub,
  V128,
} from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { widthOf } from "../emit/body.ts";
import { bytesOf } from "../emit/storage.ts";
import { Vector } from "../emit/vector.ts";
import { emitEpilogue } from "./contract-epilogue.ts";
import { callPack, callTable } from "./contract-pack.ts";
import { type ContractPlan, type Cut, cut, heightsFor, mostOver } from "./contract-plan.ts";
import { emitTile, type Rows } from "./contract-tile.ts";
import { isStrided } from "./layout.ts";

/**
 * A unit is one block of the output: its share of both operands is packed (whatever their layout; rows may also be read where they lie),
 * multiplied tile by tile, 6 or 4 rows × 2 vectors in 12 or 8 accumulators, and the epilogue runs on each tile while it is in registers.
 */
export function emitContract(plan: ContractPlan, { walks, direct }: Pick<Cut, "walks" | "direct">, features: Features) {
  const { program, groups } = plan;
  const { bindings } = program;
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  const [params, unit, to, scratch] = [get(0), 1, get(2), get(3)];
  const width = widthOf(program);
  const v = new Vector(fn, asm, width);
  const size = 16 / width;
  const columnsPerTile = 2 * width;
  const word = (name: (typeof cut)[number]) => get(fn.int(load(params, plan.cut + 4 * cut.indexOf(name))));
  const [m, n, k] = [word("rows"), word("columns"), word("inner")];
  const [rowBlock, columnBlock, innerBlock] = [word("rowBlock"), word("columnBlock"), word("innerBlock")];
  const [rowBlocks, columnBlocks] = [word("rowBlocks"), word("columnBlocks")];
  const strided = bindings.flatMap((binding, b) => (isStrided(binding) ? [b] : []));

  // Scratch: packed left, packed right, partial sums, tables of offsets.
  let end: Code = scratch;
  const region = (bytes: Code): Code => {
    const start = fn.int(end);
    end = get(fn.int(and(add(add(get(start), bytes), i32(63)), i32(-64))));
    return get(start);
  };
  const left = direct ? i32(0) : region(add(mul(mul(rowBlock, innerBlock), i32(size)), i32(16)));
  const right = region(mul(mul(columnBlock, innerBlock), i32(size)));
  const partial = region(mul(mul(rowBlock, columnBlock), i32(size)));
  const table = (entries: Code) => region(mul(entries, i32(4)));
  const innerTables = [table(innerBlock), table(innerBlock)];
  const rowTables = new Map(strided.filter((b) => b !== 1).map((b) => [b, table(add(rowBlock, i32(mostOver)))]));
  const columnTables = new Map(strided.filter((b) => b !== 0).map((b) => [b, table(add(columnBlock, i32(mostOver)))]));

  const starts = [0, groups[0], groups[0] + groups[1], groups[0] + groups[1] + groups[2]];
  const fill = (group: 1 | 2 | 3, b: number, target: Code, start: Code, count: Code) => {
    const at = 4 * starts[group]!;
    const runs = { extra: 0, run: width, size: bytesOf(bindings[b]!.dtype) };
    const kind = { axes: groups[group], ...(group === 3 ? runs : { extra: mostOver }) };
    const place = (offset: number) => add(params, i32(offset + at));
    fn.push(callTable(asm, kind, place(plan.extents), place(plan.strides[b]!), target, start, count));
  };
  const batchAxes = new Axes(fn, params, plan.extents, groups[0]);
  const places = bindings.map(() => fn.local(I32));
  const heights = heightsFor(bindings[0]!.dtype, features);
  const tileRows = heights[0]!;
  const accumulators = Array.from({ length: 2 * tileRows }, () => fn.local(V128));
  const epilogue = emitEpilogue({ v, plan, walks, params, places, rowTables, columnTables, accumulators, n });
  /** Goes through rows, as many as a tile has at a time: the tallest kind, and what is left of up to four. */
  const eachTile = (rows: Code, i: number, body: (height: number) => void, after = () => {}) => {
    const one = (height: number) => {
      body(height);
      fn.set(next, add(get(i), i32(height)));
    };
    const next = fn.local(I32);
    fn.set(i, i32(0));
    fn.while(ltU(get(i), rows), () => {
      if (heights.length === 1) one(tileRows);
      else
        fn.if(
          ltU(i32(4), sub(rows, get(i))),
          () => one(6),
          () => one(4),
        );
      after();
      fn.set(i, get(next));
    });
  };
  const [lastRow, lastPlace, start] = [fn.int(i32(-1)), fn.int(i32(0)), fn.local(I32)];

  fn.while(ltU(get(unit), to), () => {
    const block = fn.int(divU(get(unit), columnBlocks));
    const column = fn.int(mul(remU(get(unit), columnBlocks), columnBlock));
    const row = fn.int(mul(remU(get(block), rowBlocks), rowBlock));
    const batch = fn.int(divU(get(block), rowBlocks));
    const least = (a: Code, b: Code) => get(fn.int(choose(ltU(a, b), a, b)));
    const rows = least(rowBlock, sub(m, get(row)));
    const columns = least(columnBlock, sub(n, get(column)));
    batchAxes.decompose(get(batch));
    bindings.forEach((_, b) => {
      const base = load(params, plan.bases + 4 * b);
      fn.set(places[b]!, isStrided(bindings[b]!) ? batchAxes.address(base, plan.strides[b]!) : base);
    });
    // The row side of the block before may still be there: the same rows, of a batch that has them all in common.
    const same = and(eq(get(lastRow), get(row)), eq(get(lastPlace), get(places[0]!)));
    const sameRows = fn.int(and(same, leU(k, innerBlock)));
    fn.set(lastRow, get(row));
    fn.set(lastPlace, get(places[0]!));
    fn.unless(get(sameRows), () => {
      for (const [b, target] of rowTables) fill(1, b, target, get(row), rows);
    });
    for (const [b, target] of columnTables) fill(2, b, target, get(column), columns);

    const done = fn.int(i32(0));
    const more = fn.int(i32(1));
    fn.while(get(more), () => {
      const inner = least(innerBlock, sub(k, get(done)));
      fill(3, 1, innerTables[1]!, get(done), inner);
      const pack = (b: 0 | 1, lanes: number, offsets: Code, target: Code) => {
        const panel = { dtype: bindings[b]!.dtype, width, lanes };
        fn.push(callPack(asm, panel, get(places[b]!), offsets, innerTables[b]!, inner, target));
      };
      const rowTable = rowTables.get(0)!;
      const i = fn.local(I32);
      if (direct) {
        // Within a run of inner indices: where the first lies says where all do.
        fill(3, 0, innerTables[0]!, get(done), i32(1));
        fn.set(start, add(get(places[0]!), load(innerTables[0]!)));
      } else {
        fn.unless(get(sameRows), () => {
          fill(3, 0, innerTables[0]!, get(done), inner);
          eachTile(rows, i, (height) => {
            const [from, into] = [add(rowTable, mul(get(i), i32(4))), add(left, mul(mul(get(i), inner), i32(size)))];
            pack(0, height, from, into);
          });
        });
      }
      const [j, panel] = [fn.local(I32), fn.local(I32)];
      const eachPanel = (body: () => void) => {
        fn.set(j, i32(0));
        fn.set(panel, right);
        fn.while(ltU(get(j), columns), () => {
          body();
          fn.set(j, add(get(j), i32(columnsPerTile)));
          fn.set(panel, add(get(panel), mul(inner, i32(32))));
        });
      };
      eachPanel(() => pack(1, columnsPerTile, add(columnTables.get(1)!, mul(get(j), i32(4))), get(panel)));
      const first = fn.int(eq(get(done), i32(0)));
      fn.set(done, add(get(done), inner));
      fn.set(more, ltU(get(done), k));

      const tile = fn.int(partial);
      const multiply = (height: number) => {
        const own = accumulators.slice(0, 2 * height);
        fn.if(
          get(first),
          () => {
            for (const accumulator of own) fn.set(accumulator, v.constant(width === 4 ? "f32" : "f64", 0));
          },
          () => {
            own.forEach((accumulator, q) => {
              fn.set(accumulator, simdMemory(0, 16 * q, get(tile)));
            });
          },
        );
        const place = (r: number) => add(get(start), load(add(rowTable, mul(get(i), i32(4))), 4 * r));
        const source: Rows = direct
          ? { direct: Array.from({ length: height }, (_, r) => place(r)) }
          : { packed: add(left, mul(mul(get(i), inner), i32(size))) };
        emitTile(v, source, get(panel), inner, own);
        const keep = () => {
          own.forEach((accumulator, q) => {
            fn.push(simdMemory(11, 16 * q, get(tile), get(accumulator)));
          });
          fn.set(kept, sub(i32(1), get(more)));
        };
        const { fromRegisters } = epilogue;
        if (!fromRegisters) return keep();
        const whole = and(leU(i32(height), sub(rows, get(i))), leU(i32(columnsPerTile), sub(columns, get(j))));
        fn.if(and(whole, sub(i32(1), get(more))), () => fromRegisters(position, height), keep);
      };
      const kept = fn.local(I32);
      const position = {
        batch: get(batch),
        row: add(get(row), get(i)),
        column: add(get(column), get(j)),
        i: get(i),
        j: get(j),
        rows: sub(rows, get(i)),
        columns: sub(columns, get(j)),
        m,
      };
      eachPanel(() => {
        const after = () => {
          fn.if(get(kept), () => epilogue.fromMemory(get(tile), position));
          fn.set(tile, add(get(tile), i32(32 * tileRows)));
        };
        eachTile(
          rows,
          i,
          (height) => {
            fn.set(kept, i32(0));
            multiply(height);
          },
          after,
        );
      });
    });
    fn.set(unit, add(get(unit), i32(1)));
  });
  asm.export("run", fn);
  return asm;
}
