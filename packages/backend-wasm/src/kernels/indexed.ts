import type { GatherProgram, Launch, ScatterProgram, ValueType } from "@descent/backend";
import { DescentError, sizeOf, valueType } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import {
  add,
  and,
  type Code,
  choose,
  eq,
  eqz,
  get,
  i32,
  leU,
  load,
  ltU,
  memory,
  mul,
  store,
  sub,
} from "../asm/code.ts";
import { emitLine, type Pointer } from "../emit/lines.ts";
import { operations } from "../emit/operations.ts";
import { bytesOf, loadVector, storeVector } from "../emit/storage.ts";
import { Vector } from "../emit/vector.ts";
import type { Compiled, Entries, Prepare, Queue } from "./entry.ts";
import { copyBytes, copyElement, entryParams, StridedPlan } from "./strided-plan.ts";

type Indexed = GatherProgram | ScatterProgram;

/** Own words of the parameters: whether an index was out of range, which, and extents of the space of distinct indices. */
const status = 0;
const found = 1;
const distinct = 2;

/** Looks at every index; the first thread to see a bad one leaves it in the parameters. */
function emitCheck(plan: StridedPlan, features: Features): Assembly {
  const asm = new Assembly(features);
  const fn = new Fn(entryParams);
  const [params, from, to] = [get(0), 1, get(2)];
  const axes = plan.axes(fn);
  Object.assign(axes, { extents: plan.own + 4 * distinct });
  axes.decompose(get(from));
  fn.while(ltU(get(from), to), () => {
    const index = fn.int(loadIndex(plan, axes.address(plan.base(1), plan.strides[1]!)));
    fn.if(leU(load(params, 8), get(index)), () => {
      fn.push(store(params, get(index), plan.own + 4 * found), store(params, i32(1), plan.own + 4 * status));
    });
    axes.advance();
    fn.set(from, add(get(from), i32(1)));
  });
  asm.export("run", fn);
  return asm;
}

const loadIndex = (plan: StridedPlan, address: Code): Code => memory(plan.sizes[1] === 1 ? 0x2d : 0x28, 0, address);

/**
 * Gives `line` each stretch of the last axis: its length, and where every binding starts.
 */
function emitWalk(plan: StridedPlan, fn: Fn, line: (count: Code, address: (binding: number) => number) => void): void {
  const [from, to] = [1, get(2)];
  const axes = plan.axes(fn);
  const last = plan.rank - 1;
  axes.decompose(get(from));
  fn.while(ltU(get(from), to), () => {
    const left = fn.int(sub(axes.extent(last), get(axes.index[last]!)));
    const rest = fn.int(sub(to, get(from)));
    const count = fn.int(choose(ltU(get(left), get(rest)), get(left), get(rest)));
    const addresses = plan.program.bindings.map((_, b) =>
      fn.int(
        plan.strides[b]! < 0
          ? add(plan.base(b), mul(get(from), i32(plan.sizes[b]!)))
          : axes.address(plan.base(b), plan.strides[b]!),
      ),
    );
    line(get(count), (b) => addresses[b]!);
    fn.set(from, add(get(from), get(count)));
    fn.set(axes.index[last]!, i32(0));
    axes.advance(last);
  });
}

/** Where the index at `index` points, from `place` on; uniform 0 is the stride of the indexed axis. */
const pointed = (plan: StridedPlan, place: Code, index: Code, binding: number): Code =>
  add(place, mul(mul(loadIndex(plan, index), load(get(0), 0)), i32(plan.sizes[binding]!)));

/** Element by element: address of the moving operand, of the other one, and what to do with them. */
function emitElements(
  plan: StridedPlan,
  fn: Fn,
  count: Code,
  [moving, other]: readonly [number, number],
  address: (binding: number) => number,
  work: (moving: Code, other: Code) => void,
): void {
  const left = fn.int(count);
  const step = (b: number) => (plan.strides[b]! < 0 ? i32(plan.sizes[b]!) : plan.lastStride(b));
  const steps = new Map([moving, 1, other].map((b) => [b, get(fn.int(step(b)))]));
  fn.while(get(left), () => {
    const at = fn.int(pointed(plan, get(address(moving)), get(address(1)), moving));
    work(get(at), get(address(other)));
    for (const [b, by] of steps) fn.set(address(b), add(get(address(b)), by));
    fn.set(left, sub(get(left), i32(1)));
  });
}

function emitGather(plan: StridedPlan, features: Features): Assembly {
  const asm = new Assembly(features);
  const fn = new Fn(entryParams);
  const size = plan.sizes[0]!;
  emitWalk(plan, fn, (count, address) => {
    const whole = and(eqz(plan.lastStride(1)), eq(plan.lastStride(0), i32(size)));
    fn.if(
      whole,
      () => {
        const from = pointed(plan, get(address(0)), get(address(1)), 0);
        fn.push(copyBytes(from, get(address(2)), mul(count, i32(size))));
      },
      () =>
        emitElements(plan, fn, count, [0, 2], address, (from, to) => {
          fn.push(copyElement(size, from, to));
        }),
    );
  });
  asm.export("run", fn);
  return asm;
}

function emitScatter(plan: StridedPlan, program: ScatterProgram, features: Features): Assembly {
  const asm = new Assembly(features);
  const fn = new Fn(entryParams);
  const { dtype: stored } = program.bindings[0]!;
  const dtype = stored === "bool" ? "uint8" : stored;
  const type: ValueType = valueType(dtype);
  const v = new Vector(fn, asm, type === "f64" ? 2 : 4);
  const size = bytesOf(dtype);
  const put = (to: Code, from: Code, ahead = 0) => {
    const value = v.keep(loadVector(v, dtype, "vector", from, ahead));
    const sum = () => operations.add(v, type, [v.keep(loadVector(v, dtype, "vector", to, ahead)), value], type);
    storeVector(v, dtype, "vector", to, program.mode === "sum" ? sum() : value, ahead);
  };
  emitWalk(plan, fn, (count, address) => {
    const contiguous = (b: number) => eq(plan.lastStride(b), i32(size));
    fn.if(
      and(eqz(plan.lastStride(1)), and(contiguous(0), contiguous(2))),
      () => {
        const to = fn.int(pointed(plan, get(address(0)), get(address(1)), 0));
        const pointer = (local: number): Pointer => ({ local, reach: "vector", bytes: size });
        emitLine(v, count, [pointer(to), pointer(address(2))], 1, () => put(get(to), get(address(2))));
      },
      () =>
        emitElements(plan, fn, count, [0, 2], address, (to, from) => {
          v.lanes = 1;
          put(to, from);
          v.lanes = v.width;
        }),
    );
  });
  asm.export("run", fn);
  return asm;
}

/** Compiles a gather or a scatter: a pass over the indices, so that an error comes before anything is written, then the work. */
export function compileIndexed(program: Indexed, entries: Entries): Prepare {
  const plan = new StridedPlan(program, distinct + Math.max(1, program.rank));
  let check: Compiled | undefined;
  let work: Compiled | undefined;
  return (launch: Launch, queue: Queue) => {
    const units = sizeOf(launch.shape);
    if (units === 0) return;
    check ??= entries.compile(emitCheck(plan, entries.features));
    work ??= entries.compile(
      program.kind === "gather" ? emitGather(plan, entries.features) : emitScatter(plan, program, entries.features),
    );
    const p = plan.write(launch, queue);
    queue.words(p + plan.own, [0, 0], 1);
    // Axes along which the index does not vary are looked at once.
    const extents = queue.copyWords(p + plan.extents, plan.rank);
    const strides = queue.copyWords(p + plan.strides[1]!, plan.rank);
    const varying = extents.map((extent, axis) => (strides[axis] === 0 ? 1 : extent));
    queue.words(p + plan.own + 4 * distinct, varying, 1);
    queue.add(check, p, sizeOf(varying), 1);
    queue.check(p + plan.own, () => outOfRange(launch, queue.copyWords(p + plan.own + 4 * found, 1)[0]!));
    // Sums are in index order, and of several writes to one place the last one stays: a scatter is one piece.
    queue.add(work, p, units, 0.5, program.kind === "gather" ? 64 : units);
  };
}

function outOfRange({ label, uniforms }: Launch, index: number): DescentError {
  const extent = uniforms[1]!;
  return new DescentError(
    "argument",
    label,
    "index out of range",
    { index, extent },
    `Indices run from 0 to ${extent - 1}.`,
  );
}
