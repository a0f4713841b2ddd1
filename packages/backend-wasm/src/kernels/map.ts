import type { Instruction, MapProgram } from "@descent/backend";
import { collapse, sizeOf } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import { add, type Code, choose, get, I32, i32, load, ltU, mul, simd, sub, vectorConstant } from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { bindConstants, emitInstructions, readUniform, type Sources, widthOf } from "../emit/body.ts";
import { emitLine, type Pointer } from "../emit/lines.ts";
import { bytesOf, loadVector, type Reach, storeVector } from "../emit/storage.ts";
import { splat, Vector } from "../emit/vector.ts";
import type { Compiled, Entries, Prepare } from "./entry.ts";
import { elementCost, isStrided, Layout, type Walk, walkOf } from "./layout.ts";
import { tiled, tiles } from "./map-tiles.ts";

/**
 * Bodies up to this many instructions, or this many nanoseconds per element, are written twice in the main loop: there its own bookkeeping
 * counts. For Adam's 25 instructions, which wait for memory, twice is 5 % faster than once, and four times no more.
 */
const [smallBody, shortBody] = [12, 2.5];

interface Plan {
  readonly program: MapProgram;
  readonly bases: number;
  readonly extents: number;
  /** Where the strides of each binding lie; −1 for those that have none. */
  readonly strides: readonly number[];
  /** Axes walked; 0 where every binding is flat or single. */
  readonly rank: number;
  readonly usesAxes: boolean;
  readonly bytes: number;
}

function planOf(program: MapProgram): Plan {
  const usesAxes = program.body.some(({ op, imm }) => op === "index" && imm !== -1);
  const rank = usesAxes || program.bindings.some(isStrided) ? Math.max(1, program.rank) : 0;
  const layout = new Layout(program);
  const bases = layout.words(program.bindings.length);
  const extents = layout.words(rank);
  const strides = program.bindings.map((binding) => (isStrided(binding) ? layout.words(rank) : -1));
  return { program, bases, extents, strides, rank, usesAxes, bytes: layout.bytes };
}

/** Instructions that are the same for every element: evaluated once per call. */
function invariants({ body, bindings }: MapProgram): number[] {
  const same: boolean[] = [];
  body.forEach(({ op, args, imm }: Instruction, id) => {
    const binding = bindings[imm ?? 0];
    if (op === "load") same[id] = binding?.access === "single" && binding.mode === "read";
    else same[id] = op !== "index" && args.every((arg) => same[arg]);
  });
  return [...body.keys()].filter((id) => same[id] && body[id]?.op !== "const");
}

/** The body of a map over `[from, to)` in row-major order, for one way of walking the innermost axis. */
function emitMap(plan: Plan, walks: readonly Walk[], features: Features): Assembly {
  const { program, rank, bases, extents, strides } = plan;
  const { bindings, body, stores } = program;
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  const [params, from, to] = [get(0), 1, get(2)];
  const v = new Vector(fn, asm, widthOf(program));
  const axes = new Axes(fn, params, extents, rank);
  const last = rank - 1;
  const base = (binding: number) => load(params, bases + 4 * binding);

  const pointers = bindings.map((binding, b): Pointer => {
    const bytes = bytesOf(binding.dtype);
    const walk = binding.access === "single" ? "0" : isStrided(binding) ? walks[b] : "1";
    const stride = walk === "n" ? get(fn.int(load(params, strides[b]! + 4 * last))) : i32(0);
    const reach: Reach = walk === "0" ? "splat" : walk === "1" ? "vector" : { stride };
    return { local: fn.local(I32), reach, bytes };
  });
  const values: Code[] = [];
  bindConstants(v, program, values);
  const counter = { at: 0, block: 0 };
  const sources: Sources = {
    load: (b) => {
      const { reach, local } = pointers[b]!;
      return loadVector(v, bindings[b]!.dtype, reach, get(local), counter.block * v.width);
    },
    index: (axis) => {
      if (axis !== -1 && axis !== last) return splat("i32", get(axes.index[axis]!));
      const start = axis === -1 ? from : axes.index[last]!;
      const at = add(add(get(start), get(counter.at)), i32(counter.block * v.width));
      return simd(174, splat("i32", at), fn.constant("iota", 0x7b, vectorConstant([0, 1, 2, 3])));
    },
    uniform: (slot) => readUniform(program, slot, params),
  };
  const constant = invariants(program);
  // Flat and single bindings are placed once; strided ones at the start of every line.
  bindings.forEach((binding, b) => {
    const at = binding.access === "flat" ? add(base(b), mul(get(from), i32(bytesOf(binding.dtype)))) : base(b);
    fn.set(pointers[b]!.local, at);
  });
  emitInstructions(v, program, constant, values, sources);
  const varying = [...body.keys()].filter((id) => body[id]!.op !== "const" && !constant.includes(id));
  const short = body.length <= smallBody || elementCost(program) <= shortBody;
  const simple = short && pointers.every(({ reach }) => typeof reach === "string");
  const line = (count: Code) => {
    emitLine(v, count, pointers, simple ? 2 : 1, (at, block) => {
      Object.assign(counter, { at, block });
      emitInstructions(v, program, varying, values, sources);
      for (const { binding, value } of stores) {
        const { reach, local } = pointers[binding]!;
        storeVector(v, bindings[binding]!.dtype, reach, get(local), values[value]!, block * v.width);
      }
    });
  };
  if (rank === 0) line(get(fn.int(sub(to, get(from)))));
  else {
    axes.decompose(get(from));
    fn.while(ltU(get(from), to), () => {
      bindings.forEach((binding, b) => {
        if (isStrided(binding)) fn.set(pointers[b]!.local, axes.address(base(b), strides[b]!));
      });
      const left = fn.int(sub(axes.extent(last), get(axes.index[last]!)));
      const count = fn.int(sub(to, get(from)));
      fn.set(count, choose(ltU(get(left), get(count)), get(left), get(count)));
      line(get(count));
      fn.set(from, add(get(from), get(count)));
      fn.set(axes.index[last]!, i32(0));
      axes.advance(last);
    });
  }
  asm.export("run", fn);
  return asm;
}

/** Compiles a map: one entry per way of walking the innermost axis, made when first met. */
export function compileMap(program: MapProgram, entries: Entries): Prepare {
  const plan = planOf(program);
  const cost = elementCost(program);
  const { bindings } = program;
  const strided = bindings.flatMap((binding, b) => (isStrided(binding) ? [b] : []));
  const sizes = bindings.map(({ dtype }) => bytesOf(dtype));
  const variants = new Map<string, Compiled>();
  const entry = (walks: readonly Walk[]): Compiled => {
    const key = walks.join("");
    let found = variants.get(key);
    if (!found) {
      const byBinding: Walk[] = [];
      strided.forEach((b, k) => {
        byBinding[b] = walks[k]!;
      });
      found = entries.compile(emitMap(plan, byBinding, entries.features));
      variants.set(key, found);
    }
    return found;
  };
  let flat: Compiled | undefined;
  let inTiles: Prepare | undefined;
  return (launch, queue) => {
    const units = sizeOf(launch.shape);
    if (units === 0) return;
    const cut = strided.length && units >= 1024 ? tiles(program, launch) : null;
    if (cut) {
      inTiles ??= compileMap(tiled(program), entries);
      for (const part of cut) inTiles(part, queue);
      return;
    }
    const p = queue.parameters(plan.bytes, program, launch);
    queue.addresses(p + plan.bases, launch, sizes);
    if (plan.rank === 0) {
      flat ??= entry([]);
      return queue.add(flat, p, units, cost);
    }
    const own = strided.map((b) => launch.args[b]!.strides);
    const walked =
      plan.usesAxes || launch.shape.length === 0
        ? { shape: launch.shape.length ? launch.shape : [1], operands: launch.shape.length ? own : own.map(() => [0]) }
        : collapse(launch.shape, own);
    const pad = plan.rank - walked.shape.length;
    queue.words(p + plan.extents, walked.shape, 1, pad, 1);
    strided.forEach((b, k) => {
      queue.words(p + plan.strides[b]!, walked.operands[k]!, sizes[b]!, pad, 0);
    });
    const extent = walked.shape.at(-1)!;
    queue.add(entry(walked.operands.map((strides) => walkOf(strides.at(-1)!, extent))), p, units, cost);
  };
}
