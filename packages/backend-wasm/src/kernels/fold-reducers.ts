import type { Instruction, Reducer, ValueType } from "@descent/backend";
import { identity } from "@descent/backend";
import { type Code, choose, get, lane, shuffle32, simd, V128 } from "../asm/code.ts";
import { operations } from "../emit/operations.ts";
import { bitselect, splat, type Vector } from "../emit/vector.ts";
import { foldLanes, keepLanes, type Running, rotated, tree } from "./fold-lanes.ts";
import { BestPlace, Place } from "./fold-places.ts";

/** Sums and products of floats run in doubles, two vectors for four float32 lanes; sums of the few vectors at hand do not yet. */
class Double implements Running {
  readonly #v: Vector;
  readonly #opcode: number;
  readonly #identity: number;
  readonly #type: ValueType;
  readonly #across: boolean;
  readonly locals: readonly number[];

  constructor(v: Vector, product: boolean, type: ValueType, across: boolean) {
    this.#v = v;
    this.#opcode = product ? 242 : 240;
    this.#identity = product ? 1 : 0;
    this.#type = type;
    this.#across = across;
    this.locals = v.width === 4 ? [v.fn.local(V128), v.fn.local(V128)] : [v.fn.local(V128)];
  }

  reset(): void {
    for (const part of this.locals) this.#v.fn.set(part, this.#v.constant("f64", this.#identity));
  }

  add(values: readonly Code[]): void {
    const v = this.#v;
    if (this.#opcode === 242 && values.length > 1) {
      for (const value of values) this.add([value]);
      return;
    }
    const sum = this.#type === "f64" ? 240 : 228;
    const value = v.keep(tree(values, (a, b) => simd(sum, a, b)));
    const halves =
      this.#type === "f64"
        ? [value]
        : [simd(95, value), ...(v.width === 4 ? [simd(95, shuffle32(value, value, [2, 3, 2, 3]))] : [])];
    halves.slice(0, v.lanes === 1 ? 1 : 2).forEach((half, n) => {
      const part = this.locals[n]!;
      v.fn.push(keepLanes(v, this.#across, true, part, simd(this.#opcode, get(part), half)));
    });
  }

  finish(across: boolean): Code {
    const v = this.#v;
    const [low, high] = this.locals.map(get);
    if (!across) {
      if (this.#type === "f64") return low!;
      return high ? shuffle32(v.keep(simd(94, low!)), v.keep(simd(94, high)), [0, 1, 4, 5]) : simd(94, low!);
    }
    const both = v.keep(high ? simd(this.#opcode, low!, high) : low!);
    const total = v.keep(simd(this.#opcode, both, rotated(both, 64, 1)));
    return this.#type === "f64" ? total : splat("f32", lane(31, 0, simd(94, total)));
  }
}

/** What needs no wider type: sums, products and extrema of integers. */
class Plain implements Running {
  readonly #v: Vector;
  readonly #across: boolean;
  readonly #start: number;
  readonly #combine: (a: Code, b: Code) => Code;
  readonly #state: number;

  constructor(v: Vector, reducer: "sum" | "prod" | "max" | "min", type: ValueType, across: boolean) {
    this.#v = v;
    this.#across = across;
    this.#start = identity(reducer, type);
    const emit = operations[({ sum: "add", prod: "mul", max: "max", min: "min" } as const)[reducer]];
    this.#combine = (a, b) => emit(v, type, [a, b], type);
    this.#state = v.fn.local(V128);
  }

  get locals(): readonly number[] {
    return [this.#state];
  }

  reset(): void {
    this.#v.fn.set(this.#state, this.#v.bits(this.#start));
  }

  add(values: readonly Code[]): void {
    const v = this.#v;
    const result = this.#combine(get(this.#state), tree(values, this.#combine));
    v.fn.push(keepLanes(v, this.#across, false, this.#state, result));
  }

  finish(across: boolean): Code {
    const result = get(this.#state);
    return across ? splat("i32", lane(27, 0, foldLanes(this.#v, result, 32, this.#combine))) : result;
  }
}

/**
 * Extrema of floats. The engine needs eight instructions for a maximum that knows NaN and −0; a comparison that does not is one,
 * and another two remember whether there was a NaN.
 */
class Extremum implements Running {
  readonly #v: Vector;
  readonly #across: boolean;
  readonly #double: boolean;
  readonly #start: number;
  readonly #opcode: number;
  readonly #best: number;
  readonly #nan: number;

  constructor(v: Vector, reducer: "max" | "min", type: "f32" | "f64", across: boolean) {
    this.#v = v;
    this.#across = across;
    this.#double = type === "f64";
    this.#start = identity(reducer, type);
    this.#opcode = (this.#double ? 246 : 234) + (reducer === "max" ? 1 : 0);
    this.#best = v.fn.local(V128);
    this.#nan = v.fn.local(V128);
  }

  get locals(): readonly number[] {
    return [this.#best, this.#nan];
  }

  get #type(): "f32" | "f64" {
    return this.#double ? "f64" : "f32";
  }

  reset(): void {
    this.#v.fn.set(this.#best, this.#v.constant(this.#type, this.#start));
    this.#v.fn.set(this.#nan, this.#v.bits(0));
  }

  add(values: readonly Code[]): void {
    const v = this.#v;
    const kept = values.map((value) => v.keep(value));
    const better = (a: Code, b: Code) => simd(this.#opcode, a, b);
    // Of a pair, one that is NaN may win or lose: the mask knows.
    const best = better(get(this.#best), tree(kept, better));
    const isNan = tree(
      kept.map((x) => simd(this.#double ? 72 : 66, x, x)),
      (a, b) => simd(80, a, b),
    );
    const nan = simd(80, get(this.#nan), isNan);
    v.fn.push(keepLanes(v, this.#across, this.#double, this.#best, best));
    v.fn.push(keepLanes(v, this.#across, this.#double, this.#nan, nan));
  }

  finish(across: boolean): Code {
    const v = this.#v;
    const unknown = v.constant(this.#type, Number.NaN);
    if (!across) return bitselect(unknown, get(this.#best), get(this.#nan));
    const best = foldLanes(v, get(this.#best), this.#double ? 64 : 32, (a, b) => simd(this.#opcode, a, b));
    const all = splat(this.#type, lane(this.#double ? 33 : 31, 0, best));
    return choose(simd(83, get(this.#nan)), unknown, all);
  }
}

/** The state of fold instruction `op` over elements of `type`, which takes up to `ways` vectors at a time. */
export function running(v: Vector, op: Instruction["op"], type: ValueType, across: boolean, ways: number): Running {
  const reducer = op.slice(5) as Reducer;
  if (reducer === "argmax" || reducer === "argmin") {
    return new Place(ways, () => new BestPlace(v, reducer, type, across));
  }
  if (type !== "f32" && type !== "f64") return new Plain(v, reducer, type, across);
  if (reducer === "max" || reducer === "min") return new Extremum(v, reducer, type, across);
  return new Double(v, reducer === "prod", type, across);
}
