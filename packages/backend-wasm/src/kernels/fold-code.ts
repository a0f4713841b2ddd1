import type { FoldProgram } from "@descent/backend";
import { schedule } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import {
  add,
  and,
  type Code,
  get,
  I32,
  i32,
  leU,
  load,
  ltU,
  mul,
  simd,
  sub,
  V128,
  vectorConstant,
} from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { bindConstants, emitInstructions, readUniform, type Sources, widthOf } from "../emit/body.ts";
import { emitLine, movePointer, type Pointer } from "../emit/lines.ts";
import { bytesOf, loadVector, type Reach, storeVector } from "../emit/storage.ts";
import { splat, Vector } from "../emit/vector.ts";
import { type FoldPlan, type FoldShape, rowNumber } from "./fold-plan.ts";
import { lanePlaces, running } from "./fold-reducers.ts";
import { isOnRow, isStrided } from "./layout.ts";

/** Bodies up to this many instructions keep several vectors in flight. */
const smallBody = 12;

/** Rows `[from, to)` of a fold: each row passes over its elements once per stage. */
export function emitFold(plan: FoldPlan, { across, walks }: FoldShape, features: Features): Assembly {
  const { program, kept, reduced, strides } = plan;
  const { bindings, body, stores } = program;
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  const [params, row, to] = [get(0), 1, get(2)];
  const v = new Vector(fn, asm, widthOf(program));
  const order = schedule(program);
  const outer = new Axes(fn, params, plan.extents, kept);
  const inner = new Axes(fn, params, plan.extents + 4 * kept, reduced);
  const [lastKept, lastReduced] = [kept - 1, reduced - 1];
  const width = get(fn.int(load(params, plan.width)));
  const base = (b: number) => load(params, plan.bases + 4 * b);
  const iota = fn.constant("iota", V128, vectorConstant([0, 1, 2, 3]));
  const size = (b: number) => bytesOf(bindings[b]!.dtype);

  /** How the lanes of a vector lie in each binding. */
  const reaches = bindings.map((binding, b): Reach => {
    const { access } = binding;
    if (access === "single" || (across && isOnRow(access))) return "splat";
    if (access === "row") return "vector";
    if (access === "flat") return across ? "vector" : { stride: get(fn.int(mul(width, i32(size(b))))) };
    const at = strides[b]! + 4 * (across ? kept + lastReduced : lastKept);
    return walks[b] === "0" ? "splat" : walks[b] === "1" ? "vector" : { stride: get(fn.int(load(params, at))) };
  });
  const rowPlaces = bindings.map(() => fn.local(I32));
  const pointers = bindings.map((_, b): Pointer => ({ local: fn.local(I32), reach: reaches[b]!, bytes: size(b) }));
  const elementPointers = pointers.filter((_, b) => !isOnRow(bindings[b]!.access));
  const constants: Code[] = [];
  bindConstants(v, program, constants);
  const place = fn.local(I32);
  let at = place;
  let block = 0;

  const sources: Sources = {
    load: (b) => {
      const from = isOnRow(bindings[b]!.access) ? rowPlaces[b]! : pointers[b]!.local;
      return loadVector(v, bindings[b]!.dtype, reaches[b]!, get(from), block * v.width);
    },
    uniform: (slot) => readUniform(program, slot, params),
    index: (axis) => {
      const shift = i32(block * v.width);
      if (axis === -1) {
        const start = add(mul(get(row), width), add(get(place), across ? add(get(at), shift) : mul(shift, width)));
        return simd(174, splat("i32", start), across ? iota : simd(181, iota, splat("i32", width)));
      }
      if (axis === rowNumber) {
        const rows = splat("i32", add(get(row), shift));
        return across ? rows : simd(174, rows, iota);
      }
      const own = axis - (program.rank - program.reduced);
      const isLane = across ? own === lastReduced && program.reduced > 0 : own === -1;
      const index = own < 0 ? outer.index[axis]! : inner.index[own]!;
      if (!isLane) return splat("i32", own === lastReduced ? get(at) : get(index));
      const start = across ? get(at) : get(index);
      return simd(174, splat("i32", add(start, shift)), iota);
    },
  };
  const uniforms = body.flatMap(({ op }, id) => (op === "uniform" ? [id] : []));
  emitInstructions(v, program, uniforms, constants, sources);
  const open = (ids: readonly number[]) => ids.filter((id) => !constants[id]);
  const write = (chosen: FoldProgram["stores"], values: readonly Code[], places: readonly number[]) => {
    for (const { binding: b, value } of chosen) {
      storeVector(v, bindings[b]!.dtype, reaches[b]!, get(places[b]!), values[value]!, block * v.width);
    }
  };

  /** Everything for the rows of `blocks` vectors (one row when lanes run across). */
  const group = (blocks: number, rowLanes: number) => {
    bindings.forEach((binding, b) => {
      const { access } = binding;
      const linear = access === "flat" ? mul(mul(get(row), width), i32(size(b))) : mul(get(row), i32(size(b)));
      const start = isStrided(binding)
        ? outer.address(base(b), strides[b]!)
        : access === "single"
          ? base(b)
          : add(base(b), linear);
      fn.set(rowPlaces[b]!, start);
    });
    const rowBlocks = across ? 1 : blocks;
    const values = Array.from({ length: blocks }, () => [...constants]);
    const onRows = (f: (own: Code[]) => void) => {
      v.lanes = across ? v.width : rowLanes;
      for (block = 0; block < rowBlocks; block++) f(values[block]!);
      block = 0;
    };
    onRows((own) => emitInstructions(v, program, open(order.before), own, sources));
    order.stages.forEach(({ element, folds, row: after }, pass) => {
      const states = values.map(() =>
        folds.map((id) => running(v, body[id]!.op, body[body[id]!.args[0]!]!.type, across)),
      );
      for (const own of states) for (const state of own) state.reset();
      const visit = (own: number) => {
        const results = values[own]!;
        if (across)
          body.forEach((_, id) => {
            if (values[0]![id]) results[id] ??= values[0]![id]!;
          });
        emitInstructions(v, program, open(element), results, sources);
        folds.forEach((id, k) => {
          const where = () =>
            lanePlaces(v, across ? add(add(get(place), get(at)), i32(block * v.width)) : get(place), across);
          states[own]![k]!.add(results[body[id]!.args[0]!]!, where);
        });
        if (pass === order.stages.length - 1)
          write(
            order.elementStores,
            results,
            pointers.map(({ local }) => local),
          );
      };
      fn.set(place, i32(0));
      inner.reset(lastReduced);
      fn.while(ltU(get(place), width), () => {
        bindings.forEach((binding, b) => {
          if (isOnRow(binding.access)) return;
          const start = get(rowPlaces[b]!);
          const moved = isStrided(binding)
            ? inner.address(start, strides[b]! + 4 * kept, lastReduced)
            : add(start, mul(get(place), i32(size(b))));
          fn.set(pointers[b]!.local, moved);
        });
        const extent = get(fn.int(inner.extent(lastReduced)));
        if (across) {
          const outerPlace = at;
          emitLine(v, extent, elementPointers, blocks, (counter, own) => {
            at = counter;
            block = own;
            visit(own);
            block = 0;
          });
          at = outerPlace;
          fn.set(place, add(get(place), extent));
        } else {
          at = fn.int(i32(0));
          fn.while(ltU(get(at), extent), () => {
            v.lanes = rowLanes;
            for (block = 0; block < blocks; block++) visit(block);
            block = 0;
            bindings.forEach((binding, b) => {
              const step = isStrided(binding) ? load(params, strides[b]! + 4 * (kept + lastReduced)) : i32(size(b));
              if (!isOnRow(binding.access)) movePointer(fn, { ...pointers[b]!, reach: { stride: step } }, 1);
            });
            fn.set(at, add(get(at), i32(1)));
            fn.set(place, add(get(place), i32(1)));
          });
        }
        inner.advance(lastReduced);
      });
      v.lanes = v.width;
      if (across) {
        for (const own of states.slice(1)) for (const [k, state] of own.entries()) states[0]![k]!.merge(state);
      }
      onRows((own) => {
        folds.forEach((id, k) => {
          own[id] = v.keep(states[block]![k]!.finish(across));
        });
        emitInstructions(v, program, open(after), own, sources);
      });
    });
    onRows((own) => {
      if (across) v.lanes = 1;
      write(order.rowStores, own, rowPlaces);
    });
    v.lanes = v.width;
  };

  outer.decompose(get(row));
  const plain = reaches.every((reach) => typeof reach === "string");
  const many = plain && body.length <= smallBody && stores.length <= 2;
  /** Moves on by `count` rows of the same line. */
  const next = (count: number) => {
    fn.set(row, add(get(row), i32(count)));
    const last = outer.index[lastKept]!;
    fn.set(last, add(get(last), i32(count)));
    fn.if(leU(outer.extent(lastKept), get(last)), () => {
      fn.set(last, i32(0));
      outer.advance(lastKept);
    });
  };
  fn.while(ltU(get(row), to), () => {
    if (across) {
      group(many ? 2 : 1, 1);
      return next(1);
    }
    const fits = (count: number) =>
      and(
        leU(add(get(outer.index[lastKept]!), i32(count)), outer.extent(lastKept)),
        leU(i32(count), sub(to, get(row))),
      );
    const step = (blocks: number, lanes: number) => {
      group(blocks, lanes);
      next(blocks * lanes);
    };
    const narrow = () =>
      fn.if(
        fits(v.width),
        () => step(1, v.width),
        () => step(1, 1),
      );
    if (many) fn.if(fits(4 * v.width), () => step(4, v.width), narrow);
    else narrow();
  });
  asm.export("run", fn);
  return asm;
}
