import type { ValueType } from "@descent/backend";
import { identity } from "@descent/backend";
import { type Code, get, lane, simd, V128 } from "../asm/code.ts";
import { operations } from "../emit/operations.ts";
import { bitselect, splat, type Vector } from "../emit/vector.ts";
import { keepLanes, type Running, rotated } from "./fold-lanes.ts";

/** The place of an extremum: NaN wins, then the value, then the smaller place. */
export class BestPlace {
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

  get locals(): readonly number[] {
    return [this.#best, this.#place];
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

  add(value: Code, place: Code): void {
    this.#take(this.#wins(value, null), value, place);
  }

  /** Takes what `other` has gathered. */
  merge(other: BestPlace): void {
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

/** The same over several vectors at a time, each with a state of its own: its comparisons are a long chain. */
export class Place implements Running {
  readonly #ways: readonly BestPlace[];

  constructor(ways: number, make: () => BestPlace) {
    this.#ways = Array.from({ length: ways }, make);
  }

  get locals(): readonly number[] {
    return this.#ways.flatMap(({ locals }) => locals);
  }

  reset(): void {
    for (const way of this.#ways) way.reset();
  }

  add(values: readonly Code[], places: readonly Code[]): void {
    for (const [n, value] of values.entries()) this.#ways[n]!.add(value, places[n]!);
  }

  finish(across: boolean): Code {
    const [first, ...others] = this.#ways;
    for (const other of others) first!.merge(other);
    return first!.finish(across);
  }
}
