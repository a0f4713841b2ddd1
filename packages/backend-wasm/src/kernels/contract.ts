import type { ContractProgram } from "@descent/backend";
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
import { asFold } from "./contract-as-fold.ts";
import { emitEpilogue } from "./contract-epilogue.ts";
import { callPack, callTable, emitTile } from "./contract-pack.ts";
import {
  type ColumnWalk,
  type ContractPlan,
  cut,
  cutContract,
  mostOver,
  planContract,
  scratchNeeded,
} from "./contract-plan.ts";
import { type Compiled, type Entries, type Prepare, scratchBytes } from "./entry.ts";
import { compileFold } from "./fold.ts";
import { isStrided } from "./layout.ts";

/**
 * A unit is one block of the output: its share of both operands is packed (whatever their layout), multiplied tile by tile,
 * 4 rows × 2 vectors in 8 accumulators, and the epilogue runs on each tile while it is in registers.
 */
function emitContract(
  plan: ContractPlan,
  tileRows: number,
  walks: readonly ColumnWalk[],
  features: Features,
): Assembly {
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
  const left = region(add(mul(mul(rowBlock, innerBlock), i32(size)), i32(16)));
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
  const accumulators = Array.from({ length: 2 * tileRows }, () => fn.local(V128));
  const epilogue = emitEpilogue({ v, plan, walks, params, places, rowTables, columnTables, accumulators, n });
  const [lastRow, lastPlace] = [fn.int(i32(-1)), fn.int(i32(0))];

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
      const pack = (b: 0 | 1, count: Code, lanes: number, offsets: Code, target: Code) => {
        const panels = fn.int(divU(add(count, i32(lanes - 1)), i32(lanes)));
        const [from, into] = [fn.int(offsets), fn.int(target)];
        const panel = { dtype: bindings[b]!.dtype, width, lanes };
        fn.while(get(panels), () => {
          fn.push(callPack(asm, panel, get(places[b]!), get(from), innerTables[b]!, inner, get(into)));
          fn.set(from, add(get(from), i32(4 * lanes)));
          fn.set(into, add(get(into), mul(inner, i32(lanes * size))));
          fn.set(panels, sub(get(panels), i32(1)));
        });
      };
      fn.unless(get(sameRows), () => {
        fill(3, 0, innerTables[0]!, get(done), inner);
        pack(0, rows, tileRows, rowTables.get(0)!, left);
      });
      pack(1, columns, columnsPerTile, columnTables.get(1)!, right);
      const first = fn.int(eq(get(done), i32(0)));
      fn.set(done, add(get(done), inner));
      fn.set(more, ltU(get(done), k));

      const tile = fn.int(partial);
      const [j, panel] = [fn.int(i32(0)), fn.int(right)];
      fn.while(ltU(get(j), columns), () => {
        const [i, rowPanel] = [fn.int(i32(0)), fn.int(left)];
        fn.while(ltU(get(i), rows), () => {
          fn.if(
            get(first),
            () => {
              for (const accumulator of accumulators) fn.set(accumulator, v.constant(width === 4 ? "f32" : "f64", 0));
            },
            () => {
              accumulators.forEach((accumulator, q) => {
                fn.set(accumulator, simdMemory(0, 16 * q, get(tile)));
              });
            },
          );
          emitTile(v, get(rowPanel), get(panel), inner, accumulators);
          const keep = () => {
            accumulators.forEach((accumulator, q) => {
              fn.push(simdMemory(11, 16 * q, get(tile), get(accumulator)));
            });
          };
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
          const full = and(leU(i32(tileRows), sub(rows, get(i))), leU(i32(columnsPerTile), sub(columns, get(j))));
          const finish = () => {
            keep();
            fn.unless(get(more), () => epilogue.fromMemory(get(tile), position));
          };
          if (epilogue.fromRegisters) {
            const direct = epilogue.fromRegisters;
            fn.if(and(full, sub(i32(1), get(more))), () => direct(position), finish);
          } else finish();
          fn.set(tile, add(get(tile), i32(32 * tileRows)));
          fn.set(i, add(get(i), i32(tileRows)));
          fn.set(rowPanel, add(get(rowPanel), mul(inner, i32(tileRows * size))));
        });
        fn.set(j, add(get(j), i32(columnsPerTile)));
        fn.set(panel, add(get(panel), mul(inner, i32(32))));
      });
    });
    fn.set(unit, add(get(unit), i32(1)));
  });
  asm.export("run", fn);
  return asm;
}

/** Whether packed panels can hold the operands, and whether rows and columns are what they say. */
export const isPackable = (program: ContractProgram): boolean => {
  const type = program.body.find(({ op }) => op === "accumulator")?.type ?? "f32";
  const double = type === "f64";
  if (type !== "f32" && !double) return false;
  if (widthOf(program) !== (double ? 2 : 4)) return false;
  const operands = program.bindings.slice(0, 2).map(({ dtype }) => dtype);
  const fits = operands.every((dtype) =>
    double ? dtype === "float64" : dtype === "float32" || dtype === "float16" || dtype === "bfloat16",
  );
  const strided = program.bindings.filter(isStrided).length;
  // Axes are merged here, so their own numbers are lost.
  if (program.body.some(({ op, imm }) => op === "index" && imm !== -1)) return false;
  return fits && scratchNeeded(double ? 8 : 4, strided) <= scratchBytes;
};

/** Compiles a contract of floats: one entry per way of walking the epilogue's operands along the columns. */
export function compileContract(program: ContractProgram, entries: Entries): Prepare {
  const plan = planContract(program);
  const sizes = program.bindings.map(({ dtype }) => bytesOf(dtype));
  const variants = new Map<string, Compiled>();
  let fold: Prepare | undefined;
  return (launch, queue) => {
    const p = queue.parameters(plan.bytes, program, launch);
    queue.addresses(p + plan.bases, launch, sizes);
    const { words, units, grain, flops, walks, tileRows, unpacked } = cutContract(
      plan,
      launch,
      p,
      queue,
      entries.features,
    );
    if (words[0]! * words[1]! === 0) return;
    if (unpacked) {
      fold ??= compileFold(asFold(program), entries);
      return fold(launch, queue);
    }
    queue.words(p + plan.cut, words, 1);
    const key = `${tileRows}${walks.slice(2).join("")}`;
    let entry = variants.get(key);
    if (!entry) {
      entry = entries.compile(emitContract(plan, tileRows, walks, entries.features));
      variants.set(key, entry);
    }
    queue.add(entry, p, units, 10 + flops / 45, grain);
  };
}
