import type { Fn } from "../asm/assembler.ts";
import { add, type Code, get, geU, i32, ltU, sub } from "../asm/code.ts";
import type { Reach } from "./storage.ts";
import type { Vector } from "./vector.ts";

/** A place in memory that moves with the element: `step` bytes each. */
export interface Pointer {
  readonly local: number;
  /** `vector`: elements are `bytes` apart; `splat`: it stays; otherwise the distance is known at run time. */
  readonly reach: Reach;
  readonly bytes: number;
}

/** Moves a pointer by `count` elements. */
export function movePointer(fn: Fn, { local, reach, bytes }: Pointer, count: number): void {
  if (reach === "splat") return;
  if (reach === "vector") return fn.set(local, add(get(local), i32(bytes * count)));
  const stride = count === 1 ? reach.stride : [reach.stride, i32(count), 0x6c];
  fn.set(local, add(get(local), stride));
}

/**
 * Walks `count` elements: `blocks` vectors at a time, then one vector, then one element. `body` emits the work on the
 * vector that lies `block` vectors beyond the pointers, with `v.lanes` elements that count; `at` is the number done before,
 * `vectors` how many there are at a time.
 */
export function emitLine(
  v: Vector,
  count: Code,
  pointers: readonly Pointer[],
  blocks: number,
  body: (at: number, block: number, vectors: number) => void,
): void {
  const { fn, width } = v;
  const at = fn.int(i32(0));
  const loop = (vectors: number, lanes: number) => {
    const elements = vectors * lanes;
    const more = elements === 1 ? ltU(get(at), count) : geU(sub(count, get(at)), i32(elements));
    fn.while(more, () => {
      v.lanes = lanes;
      for (let block = 0; block < vectors; block++) body(at, block, vectors);
      for (const pointer of pointers) movePointer(fn, pointer, elements);
      fn.set(at, add(get(at), i32(elements)));
    });
  };
  if (blocks > 1) loop(blocks, width);
  loop(1, width);
  loop(1, 1);
  v.lanes = width;
}
