import type { ScanProgram, ValueType } from "@descent/backend";
import { identity, sizeOf, valueType } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import { add, get, i32, ltU, mul, set, simd, V128 } from "../asm/code.ts";
import { operations } from "../emit/operations.ts";
import { loadVector, storeVector } from "../emit/storage.ts";
import { bitselect, splat, Vector } from "../emit/vector.ts";
import type { Compiled, Entries, Prepare } from "./entry.ts";
import { entryParams, StridedPlan } from "./strided-plan.ts";

/** Lines `[from, to)`: one element after the other, floats in double precision as in a fold. */
function emitScan(plan: StridedPlan, program: ScanProgram, features: Features): Assembly {
  const asm = new Assembly(features);
  const fn = new Fn(entryParams);
  const [line, to] = [1, get(2)];
  const { dtype: stored } = program.bindings[0]!;
  const dtype = stored === "bool" ? "uint8" : stored;
  const type: ValueType = valueType(dtype);
  const v = new Vector(fn, asm, type === "f64" ? 2 : 4);
  v.lanes = 1;
  const { reducer } = program;
  const extremum = reducer === "max" || reducer === "min";
  const wide: ValueType = type === "f32" && !extremum ? "f64" : type;
  const last = plan.rank - 1;
  const axes = plan.axes(fn);
  const length = get(fn.int(axes.extent(last)));
  const step = get(fn.int(plan.lastStride(0)));
  const [value, running, place] = [fn.local(V128), fn.local(V128), fn.local(V128)];
  fn.set(axes.index[last]!, i32(0));
  axes.decompose(get(line), last);
  fn.while(ltU(get(line), to), () => {
    const from = fn.int(axes.address(plan.base(0), plan.strides[0]!));
    const start = fn.int(mul(get(line), length));
    const out = (b: number) => fn.int(add(plan.base(b), mul(get(start), i32(plan.sizes[b]!))));
    const target = out(1);
    const places = extremum ? out(2) : -1;
    const at = fn.int(i32(0));
    fn.set(running, v.constant(wide, identity(reducer, wide)));
    fn.set(place, v.bits(0));
    fn.while(ltU(get(at), length), () => {
      fn.set(value, loadVector(v, dtype, "vector", get(from)));
      if (extremum) {
        // A later equal element replaces an earlier one, and so does a later NaN, as in PyTorch.
        const compare = (op: "ge" | "le" | "ne", b: number) => operations[op](v, "mask", [get(value), get(b)], type);
        const wins = v.keep(simd(80, compare(reducer === "max" ? "ge" : "le", running), compare("ne", value)));
        fn.set(running, bitselect(get(value), get(running), wins));
        fn.set(place, bitselect(splat("i32", get(at)), get(place), v.maskFor("i32", wins)));
        storeVector(v, "int64", "vector", get(places), get(place));
        fn.push(set(places, add(get(places), i32(4))));
      } else {
        const widened = wide === type ? get(value) : simd(95, get(value));
        const combine = operations[reducer === "sum" ? "add" : "mul"];
        fn.set(running, combine(v, wide, [get(running), v.keep(widened)], wide));
      }
      const result = wide === type ? get(running) : simd(94, get(running));
      storeVector(v, dtype, "vector", get(target), result);
      fn.set(from, add(get(from), step));
      fn.set(target, add(get(target), i32(plan.sizes[1]!)));
      fn.set(at, add(get(at), i32(1)));
    });
    fn.set(line, add(get(line), i32(1)));
    axes.advance(last);
  });
  asm.export("run", fn);
  return asm;
}

/** Compiles a running fold along the last axis; lines are shared out. */
export function compileScan(program: ScanProgram, entries: Entries): Prepare {
  const plan = new StridedPlan(program, 0);
  let entry: Compiled | undefined;
  return (launch, queue) => {
    if (sizeOf(launch.shape) === 0) return;
    entry ??= entries.compile(emitScan(plan, program, entries.features));
    const length = launch.shape.at(-1) ?? 1;
    const p = plan.write(launch, queue, true);
    queue.add(entry, p, sizeOf(launch.shape) / length, 1.5 * length);
  };
}
