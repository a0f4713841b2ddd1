import type { SortProgram, ValueType } from "@descent/backend";
import { sizeOf, valueType } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import {
  add,
  type Code,
  choose,
  f32,
  f64,
  get,
  gtU,
  I32,
  I64,
  i32,
  i64,
  lane,
  ltU,
  memory,
  mul,
  op,
  set,
  shl,
  store,
  sub,
} from "../asm/code.ts";
import { loadVector } from "../emit/storage.ts";
import { laneCodes, Vector } from "../emit/vector.ts";
import { type Compiled, type Entries, type Prepare, scratchBytes } from "./entry.ts";
import { copyBytes, copyElement, entryParams, StridedPlan } from "./strided-plan.ts";

const load64 = (address: Code, offset = 0): Code => memory(0x29, offset, address);
const store64 = (address: Code, value: Code, offset = 0): Code => memory(0x37, offset, address, value);

/** A key whose unsigned order is the order of the numbers: NaN last, both zeros equal. 32 bits, or 64 for doubles. */
function orderedKey(fn: Fn, type: ValueType, value: Code, descending: boolean): Code {
  const flip = (key: Code) =>
    descending ? op(type === "f64" ? 0x85 : 0x73, key, type === "f64" ? i64(-1n) : i32(-1)) : key;
  if (type === "u32") return flip(value);
  if (type !== "f32" && type !== "f64") return flip(op(0x73, value, i32(-0x80000000)));
  const double = type === "f64";
  const number = double ? 0x7c : 0x7d;
  // Adding zero turns −0 into 0.
  const x = fn.let(number, op(double ? 0xa0 : 0x92, value, double ? f64(0) : f32(0)));
  const bits = fn.let(double ? I64 : I32, op(double ? 0xbd : 0xbc, get(x)));
  const word = (n: bigint) => (double ? i64(n) : i32(Number(BigInt.asIntN(32, n))));
  const sign = double ? -(2n ** 63n) : -(2n ** 31n);
  const negative = op(double ? 0x53 : 0x48, get(bits), word(0n));
  const ordered = op(double ? 0x85 : 0x73, get(bits), choose(negative, word(-1n), word(sign)));
  return flip(choose(op(double ? 0x62 : 0x5c, get(x), get(x)), word(-1n), ordered));
}

/**
 * A stable merge sort of each line. Up to 32 bits, key and place share one 64-bit word, and equal keys are in order of place
 * by themselves; doubles take two words, and the merge prefers the left one.
 */
function emitSort(plan: StridedPlan, program: SortProgram, features: Features): Assembly {
  const asm = new Assembly(features);
  const fn = new Fn(entryParams);
  const [line, to, scratch] = [1, get(2), get(3)];
  const { dtype: stored } = program.bindings[0]!;
  const dtype = stored === "bool" ? "uint8" : stored;
  const type = valueType(dtype);
  const v = new Vector(fn, asm, type === "f64" ? 2 : 4);
  v.lanes = 1;
  const item = type === "f64" ? 16 : 8;
  const last = plan.rank - 1;
  const axes = plan.axes(fn);
  const length = get(fn.int(axes.extent(last)));
  const step = get(fn.int(plan.lastStride(0)));
  const bytes = get(fn.int(mul(length, i32(item))));
  const given = get(fn.int(plan.word(0)));
  const first = get(fn.int(choose(given, given, scratch)));
  fn.set(axes.index[last]!, i32(0));
  axes.decompose(get(line), last);
  fn.while(ltU(get(line), to), () => {
    const from = get(fn.int(axes.address(plan.base(0), plan.strides[0]!)));
    const [source, target] = [fn.int(first), fn.int(add(first, bytes))];
    const k = fn.int(i32(0));
    const next = () => set(k, add(get(k), i32(1)));
    fn.while(ltU(get(k), length), () => {
      const value = lane(
        laneCodes[type].extract,
        0,
        loadVector(v, dtype, "vector", get(fn.int(add(from, mul(get(k), step))))),
      );
      const key = orderedKey(fn, type, value, program.descending);
      const at = get(fn.int(add(get(source), mul(get(k), i32(item)))));
      if (item === 16) fn.push(store64(at, key), store(at, get(k), 8));
      else fn.push(store64(at, op(0x84, op(0x86, op(0xad, key), i64(32n)), op(0xad, get(k)))));
      fn.push(next());
    });
    const run = fn.int(i32(item));
    fn.while(ltU(get(run), bytes), () => {
      const start = fn.int(i32(0));
      fn.while(ltU(get(start), bytes), () => {
        const bounded = (x: Code) => choose(gtU(x, bytes), bytes, x);
        const middle = fn.int(bounded(add(get(start), get(run))));
        const end = fn.int(bounded(add(get(start), shl(get(run), i32(1)))));
        const absolute = (x: number) => add(get(source), get(x));
        const [i, j] = [fn.int(absolute(start)), fn.int(absolute(middle))];
        const [iEnd, jEnd] = [get(fn.int(get(j))), get(fn.int(absolute(end)))];
        const out = fn.int(add(get(target), get(start)));
        fn.while([ltU(get(i), iEnd), ltU(get(j), jEnd), 0x71], () => {
          // Without a branch on the outcome: it cannot be predicted.
          const left = fn.int(op(0x58, load64(get(i)), load64(get(j))));
          const taken = get(fn.int(choose(get(left), get(i), get(j))));
          for (let word = 0; word < item; word += 8) fn.push(store64(get(out), load64(taken, word), word));
          fn.set(i, add(get(i), mul(get(left), i32(item))));
          fn.set(j, add(get(j), mul(sub(i32(1), get(left)), i32(item))));
          fn.set(out, add(get(out), i32(item)));
        });
        const rest = get(fn.int(sub(iEnd, get(i))));
        fn.push(copyBytes(get(i), get(out), rest));
        fn.push(copyBytes(get(j), add(get(out), rest), sub(jEnd, get(j))));
        fn.set(start, get(end));
      });
      const swap = get(fn.int(get(source)));
      fn.set(source, get(target));
      fn.set(target, swap);
      fn.set(run, shl(get(run), i32(1)));
    });
    const start = get(fn.int(mul(get(line), length)));
    fn.set(k, i32(0));
    fn.while(ltU(get(k), length), () => {
      const place = get(fn.int(memory(0x28, item - 8, add(get(source), mul(get(k), i32(item))))));
      const at = get(fn.int(add(start, get(k))));
      const size = plan.sizes[0]!;
      fn.push(copyElement(size, add(from, mul(place, step)), add(plan.base(1), mul(at, i32(size)))));
      fn.push(store(add(plan.base(2), mul(at, i32(4))), place), next());
    });
    fn.set(line, add(get(line), i32(1)));
    axes.advance(last);
  });
  asm.export("run", fn);
  return asm;
}

/** Compiles a sort along the last axis; lines are shared out, unless one needs more scratch memory than a thread has. */
export function compileSort(program: SortProgram, entries: Entries): Prepare {
  const plan = new StridedPlan(program, 1);
  let entry: Compiled | undefined;
  return (launch, queue) => {
    if (sizeOf(launch.shape) === 0) return;
    entry ??= entries.compile(emitSort(plan, program, entries.features));
    const length = launch.shape.at(-1) ?? 1;
    const p = plan.write(launch, queue, true);
    const lines = sizeOf(launch.shape) / length;
    const needed = length * (program.bindings[0]!.dtype === "float64" ? 32 : 16);
    const own = needed > scratchBytes;
    queue.words(p + plan.own, [own ? queue.temporary(needed, launch.label) : 0], 1);
    queue.add(entry, p, lines, 5 * length * Math.log2(length + 1), own ? lines : 1);
  };
}
