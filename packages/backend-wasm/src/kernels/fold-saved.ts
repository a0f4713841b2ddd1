import type { FoldProgram } from "@descent/backend";
import { add, type Code, get, I32, i32, mul, sub } from "../asm/code.ts";
import { movePointer, type Pointer } from "../emit/lines.ts";
import { bytesOf, loadVector, storeVector } from "../emit/storage.ts";
import { scratchBytes } from "./entry.ts";
import type { FoldContext } from "./fold-context.ts";

export const vectorBytes = 16;

/** Whether `count` values of every element of a row fit into scratch memory, with some room for what is known of rows. */
export const savesFit = (count: number, width: number, across: boolean): boolean =>
  count * width * (across ? 8 : vectorBytes) <= scratchBytes - 4096;

/**
 * Values of elements, kept in the last part of scratch memory from one pass to the next: as they lie in a row or, where lanes are
 * rows, as `vectors` vectors for every place.
 */
export class Saved {
  readonly #c: FoldContext;
  readonly #pointers = new Map<number, Pointer>();
  /** Bytes of one value, and from one place to the next unless lanes run across a row. */
  readonly #region: Code;
  readonly #step: Code;

  constructor(c: FoldContext, ids: readonly number[], vectors: Code) {
    this.#c = c;
    this.#step = ids.length ? get(c.fn.int(mul(vectors, i32(vectorBytes)))) : 0;
    for (const id of ids) {
      const bytes = bytesOf(savedDtype(c.program, id));
      this.#pointers.set(id, { local: c.fn.local(I32), reach: c.across ? "vector" : { stride: this.#step }, bytes });
    }
    this.#region = mul(c.width, c.across ? i32(8) : this.#step);
  }

  /** Places that move with the elements, for these values. */
  pointers(ids: readonly number[]): Pointer[] {
    return ids.map((id) => this.#pointers.get(id)!);
  }

  /** Goes back to the first element. */
  start(): void {
    let region = 1;
    for (const { local } of this.#pointers.values()) {
      const end = add(this.#c.scratch, i32(scratchBytes));
      this.#c.fn.set(local, sub(end, mul(this.#region, i32(region++))));
    }
  }

  /** Moves on by `count` places, where lanes are rows. */
  move(count: number): void {
    for (const pointer of this.#pointers.values()) if (count > 0) movePointer(this.#c.fn, pointer, count);
  }

  /** Moves on by one vector of rows. */
  moveVector(): void {
    for (const { local } of this.#pointers.values()) this.#c.fn.set(local, add(get(local), i32(vectorBytes)));
  }

  /** A value `places` further on. */
  load(id: number, places = 0): Code {
    const { v, program, block } = this.#c;
    return v.keep(loadVector(v, savedDtype(program, id), "vector", this.#address(id, places), block * v.width));
  }

  store(id: number, value: Code, places = 0): void {
    const { v, program, block } = this.#c;
    storeVector(v, savedDtype(program, id), "vector", this.#address(id, places), value, block * v.width);
  }

  #address(id: number, places: number): Code {
    const at = get(this.#pointers.get(id)!.local);
    return places ? add(at, mul(this.#step, i32(places))) : at;
  }
}

const savedDtype = (program: FoldProgram, id: number): "float32" | "float64" =>
  program.body[id]!.type === "f64" ? "float64" : "float32";
