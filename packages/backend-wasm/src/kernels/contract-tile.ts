import { add, type Code, get, i32, leU, set, simdMemory, sub, V128 } from "../asm/code.ts";
import type { Vector } from "../emit/vector.ts";

/** Where a tile finds its rows: packed side by side, or each as it lies in memory, inner index after inner index. */
export type Rows = { readonly packed: Code } | { readonly direct: readonly Code[] };

/** Adds the product of some rows with one packed panel of columns, two accumulators per row. */
export function emitTile(v: Vector, rows: Rows, right: Code, inner: Code, accumulators: readonly number[]): void {
  const { fn, width } = v;
  const type = width === 4 ? "f32" : "f64";
  const size = 16 / width;
  const height = accumulators.length / 2;
  const columnBytes = 32;
  const places = "packed" in rows ? [fn.int(rows.packed)] : rows.direct.map((place) => fn.int(place));
  const rowBytes = "packed" in rows ? height * size : size;
  const [b, k] = [fn.int(right), fn.int(inner)];
  const [b0, b1, x] = [fn.local(V128), fn.local(V128), fn.local(V128)];
  const steps = (count: number) => {
    for (let u = 0; u < count; u++) {
      fn.set(b0, simdMemory(0, columnBytes * u, get(b)));
      fn.set(b1, simdMemory(0, columnBytes * u + 16, get(b)));
      for (let r = 0; r < height; r++) {
        const [place, at] = "packed" in rows ? [places[0]!, size * r] : [places[r]!, 0];
        fn.set(x, simdMemory(width === 4 ? 9 : 10, rowBytes * u + at, get(place)));
        const [low, high] = [accumulators[2 * r]!, accumulators[2 * r + 1]!];
        fn.push(set(low, v.madd(type, get(x), get(b0), get(low))), set(high, v.madd(type, get(x), get(b1), get(high))));
      }
    }
    for (const place of places) fn.set(place, add(get(place), i32(rowBytes * count)));
    fn.set(b, add(get(b), i32(columnBytes * count)));
    fn.set(k, sub(get(k), i32(count)));
  };
  fn.while(leU(i32(4), get(k)), () => steps(4));
  fn.while(get(k), () => steps(1));
}
