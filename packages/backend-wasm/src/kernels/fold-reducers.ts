import type { Instruction, Reducer, ValueType } from "@descent/backend";
import { identity } from "@descent/backend";
import { type Code, get, lane, set, shuffle32, simd, V128, vectorConstant } from "../asm/code.ts";
import { operations } from "../emit/operations.ts";
import { bitselect, splat, type Vector } from "../emit/vector.ts";

/** The running state of one fold over rows: one result per lane until `finish`. */
export interface Running {
  reset(): void;
  /** Takes the elements of one vector; `place` is the place in the row, in every lane. */
  add(value: Code, place: () => Code): void;
  /** Takes what `other`, of the same kind, has gathered. */
  merge(other: Running): void;
  /** The result. `across`: the lanes are parts of one row, and it comes in every lane. */
  finish(across: boolean): Code;
}

const laneZero: Code = vectorConstant([-1, 0, 0, 0]);
const laneZeroDouble: Code = vectorConstant([-1, -1, 0, 0]);

/** In tails across a row only lane 0 counts: the others keep what they hold. */
function keepLanes(v: Vector, across: boolean, double: boolean, local: number, value: Code): Code {
  if (!across || v.lanes !== 1) return set(local, value);
  const mask = v.fn.constant(double ? "lane0d" : "lane0", V128, double ? laneZeroDouble : laneZero);
  return set(local, bitselect(value, get(local), mask));
}

/** Lanes moved down by `n` elements of `bits` bits. */
const rotated = (x: Code, bits: 32 | 64, n: number): Code =>
  shuffle32(x, x, bits === 64 ? [2, 3, 0, 1] : [n, (n + 1) % 4, (n + 2) % 4, (n + 3) % 4]);

/** Sums and products of floats run in doubles: two vectors for four float32 lanes. */
class Double implements Running {
  readonly #v: Vector;
  readonly #opcode: number;
  readonly #identity: number;
  readonly #type: ValueType;
  readonly #across: boolean;
  readonly #parts: number[];

  constructor(v: Vector, product: boolean, type: ValueType, across: boolean) {
    this.#v = v;
    this.#opcode = product ? 242 : 240;
    this.#identity = product ? 1 : 0;
    this.#type = type;
    this.#across = across;
    this.#parts = v.width === 4 ? [v.fn.local(V128), v.fn.local(V128)] : [v.fn.local(V128)];
  }

  reset(): void {
    for (const part of this.#parts) this.#v.fn.set(part, this.#v.constant("f64", this.#identity));
  }

  add(value: Code): void {
    const v = this.#v;
    const halves =
      this.#type === "f64"
        ? [value]
        : [simd(95, value), ...(v.width === 4 ? [simd(95, shuffle32(value, value, [2, 3, 2, 3]))] : [])];
    halves.slice(0, v.lanes === 1 ? 1 : 2).forEach((half, n) => {
      const part = this.#parts[n]!;
      v.fn.push(keepLanes(v, this.#across, true, part, simd(this.#opcode, get(part), half)));
    });
  }

  merge(other: Double): void {
    this.#parts.forEach((part, n) => {
      this.#v.fn.set(part, simd(this.#opcode, get(part), get(other.#parts[n]!)));
    });
  }

  finish(across: boolean): Code {
    const v = this.#v;
    const [low, high] = this.#parts.map(get);
    if (!across) {
      if (this.#type === "f64") return low!;
      return high ? shuffle32(v.keep(simd(94, low!)), v.keep(simd(94, high)), [0, 1, 4, 5]) : simd(94, low!);
    }
    const both = v.keep(high ? simd(this.#opcode, low!, high) : low!);
    const total = v.keep(simd(this.#opcode, both, rotated(both, 64, 1)));
    return this.#type === "f64" ? total : splat("f32", lane(31, 0, simd(94, total)));
  }
}

/** What needs no wider type: integer sums and products, extrema. */
class Plain implements Running {
  readonly #v: Vector;
  readonly #across: boolean;
  readonly #type: ValueType;
  readonly #start: number;
  readonly #combine: (a: Code, b: Code) => Code;
  readonly #state: number;

  constructor(v: Vector, reducer: "sum" | "prod" | "max" | "min", type: ValueType, across: boolean) {
    this.#v = v;
    this.#across = across;
    this.#type = type;
    this.#start = identity(reducer, type);
    const emit = operations[({ sum: "add", prod: "mul", max: "max", min: "min" } as const)[reducer]];
    this.#combine = (a, b) => emit(v, type, [a, b], type);
    this.#state = v.fn.local(V128);
  }

  reset(): void {
    this.#v.fn.set(this.#state, this.#v.constant(this.#type, this.#start));
  }

  add(value: Code): void {
    const v = this.#v;
    v.fn.push(
      keepLanes(v, this.#across, this.#type === "f64", this.#state, this.#combine(get(this.#state), v.keep(value))),
    );
  }

  merge(other: Plain): void {
    this.#v.fn.set(this.#state, this.#combine(get(this.#state), get(other.#state)));
  }

  finish(across: boolean): Code {
    const v = this.#v;
    let result = get(this.#state);
    if (!across) return result;
    const bits = this.#type === "f64" ? 64 : 32;
    for (let n = v.width / 2; n >= 1; n /= 2) {
      const from = result;
      result = v.keep(this.#combine(from, v.keep(rotated(from, bits, n))));
    }
    // At width 2, 32-bit lanes 2 and 3 are not used: fold lanes 0 and 1 only.
    return splat(this.#type, lane(bits === 64 ? 33 : this.#type === "f32" ? 31 : 27, 0, result));
  }
}

/** The place of an extremum: NaN wins, then the value, then the smaller place. */
class Place implements Running {
  readonly #v: Vector;
  readonly #across: boolean;
  readonly #type: ValueType;
  readonly #least: boolean;
  readonly #best: number;
  readonly #place: number;

  constructor(v: Vector, reducer: "argmax" | "argmin", type: ValueType, across: boolean) {
    this.#v = v;
    this.#across = across;
    this.#type = type;
    this.#least = reducer === "argmin";
    this.#best = v.fn.local(V128);
    this.#place = v.fn.local(V128);
  }

  reset(): void {
    const start = identity(this.#least ? "min" : "max", this.#type);
    this.#v.fn.set(this.#best, this.#v.constant(this.#type, start));
    this.#v.fn.set(this.#place, this.#v.bits(0));
  }

  #compare(op: "lt" | "gt" | "eq" | "ne", a: Code, b: Code): Code {
    return this.#v.keep(operations[op](this.#v, "mask", [a, b], this.#type));
  }

  /** Where (value, place) beats the state. */
  #wins(value: Code, place: Code | null): Code {
    const v = this.#v;
    const best = get(this.#best);
    const better = this.#compare(this.#least ? "lt" : "gt", value, best);
    const isNan = (x: Code) => this.#compare("ne", x, x);
    const nanWins = simd(79, isNan(value), isNan(best));
    const wins = v.keep(simd(80, better, nanWins));
    if (!place) return wins;
    const ties = simd(80, this.#compare("eq", value, best), simd(78, isNan(value), isNan(best)));
    const earlier = v.widen(simd(57, place, get(this.#place)));
    return v.keep(simd(80, wins, simd(78, ties, earlier)));
  }

  #take(wins: Code, value: Code, place: Code): void {
    const v = this.#v;
    const [best, at] = [this.#best, this.#place];
    const newBest = v.keep(bitselect(value, get(best), v.maskFor(this.#type, wins)));
    const newPlace = v.keep(bitselect(place, get(at), v.maskFor("i32", wins)));
    v.fn.push(keepLanes(v, this.#across, this.#type === "f64", best, newBest));
    v.fn.push(keepLanes(v, this.#across, false, at, newPlace));
  }

  add(value: Code, place: () => Code): void {
    const kept = this.#v.keep(value);
    this.#take(this.#wins(kept, null), kept, this.#v.keep(place()));
  }

  merge(other: Place): void {
    const [value, place] = [get(other.#best), get(other.#place)];
    this.#take(this.#wins(value, place), value, place);
  }

  finish(across: boolean): Code {
    const v = this.#v;
    if (!across) return get(this.#place);
    const bits = this.#type === "f64" ? 64 : 32;
    for (let n = v.width / 2; n >= 1; n /= 2) {
      const value = v.keep(rotated(get(this.#best), bits, n));
      const place = v.keep(rotated(get(this.#place), 32, n));
      this.#take(this.#wins(value, place), value, place);
    }
    return splat("i32", lane(27, 0, get(this.#place)));
  }
}

/** The state of fold instruction `op` over elements of `type`. */
export function running(v: Vector, op: Instruction["op"], type: ValueType, across: boolean): Running {
  const reducer = op.slice(5) as Reducer;
  if (reducer === "argmax" || reducer === "argmin") return new Place(v, reducer, type, across);
  const float = type === "f32" || type === "f64";
  if (float && (reducer === "sum" || reducer === "prod")) return new Double(v, reducer === "prod", type, across);
  return new Plain(v, reducer, type, across);
}

/** Places of the lanes of a vector that starts at place `at`; across a row they count up. */
export const lanePlaces = (v: Vector, at: Code, across: boolean): Code =>
  across ? simd(174, splat("i32", at), v.fn.constant("iota", V128, vectorConstant([0, 1, 2, 3]))) : splat("i32", at);
