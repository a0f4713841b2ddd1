import type { DType } from "@descent/backend";
import { type Assembly, Fn } from "../asm/assembler.ts";
import {
  add,
  and,
  type Code,
  eq,
  get,
  I32,
  i32,
  leU,
  load,
  ltU,
  mul,
  set,
  shuffle32,
  simdMemory,
  store,
  sub,
  V128,
} from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { bytesOf, loadVector, storeVector } from "../emit/storage.ts";
import { Vector } from "../emit/vector.ts";

/**
 * Writes the byte offsets of `count` consecutive indices, from linear number `start` on, over `axes` axes; the table is filled up to a
 * multiple of `multiple` by repeating the last, so that what reads it needs no tail.
 */
export function callTable(
  asm: Assembly,
  axes: number,
  multiple: number,
  ...[extents, strides, target, start, count]: [Code, Code, Code, Code, Code]
): Code {
  const make = () => {
    const fn = new Fn([I32, I32, I32, I32, I32]);
    const walk = new Axes(fn, get(0), 0, axes);
    walk.decompose(get(3));
    const offset = fn.local(I32);
    const put = () => {
      fn.push(store(get(2), get(offset)));
      fn.set(2, add(get(2), i32(4)));
      fn.set(4, sub(get(4), i32(1)));
    };
    const round = fn.int(and(add(get(4), i32(multiple - 1)), i32(-multiple)));
    const padding = fn.int(sub(get(round), get(4)));
    fn.while(get(4), () => {
      let sum: Code = i32(0);
      for (let axis = 0; axis < axes; axis++) sum = add(sum, mul(get(walk.index[axis]!), load(get(1), 4 * axis)));
      fn.set(offset, sum);
      put();
      walk.advance();
    });
    fn.set(4, get(padding));
    fn.while(get(4), put);
    return fn;
  };
  return asm.callHelper(`table${axes}.${multiple}`, make, extents, strides, target, start, count);
}

/**
 * Packs one vector's worth of rows (or columns) of an operand over `count` inner indices: element (k, r) of the result lies
 * `step · k` bytes on. Rows next to each other in memory load as vectors; so do inner runs, which are then transposed.
 */
export function callPack(
  asm: Assembly,
  dtype: DType,
  width: 2 | 4,
  ...[base, rows, inner, count, target, step]: [Code, Code, Code, Code, Code, Code]
): Code {
  const make = () => {
    const fn = new Fn([I32, I32, I32, I32, I32, I32]);
    const v = new Vector(fn, asm, width);
    const size = bytesOf(dtype);
    const kind = width === 4 ? "float32" : "float64";
    const places = Array.from({ length: width }, (_, r) => fn.int(add(get(0), load(get(1), 4 * r))));
    const end = fn.int(add(get(2), mul(get(3), i32(4))));
    const k = fn.int(get(2));
    const allNext = (at: (n: number) => Code): Code =>
      Array.from({ length: width - 1 }, (_, n) => eq(sub(at(n + 1), at(n)), i32(size))).reduce(and);
    const next = (count: number) => {
      fn.set(k, add(get(k), i32(4 * count)));
      fn.set(4, add(get(4), count === 1 ? get(5) : mul(get(5), i32(count))));
    };
    const at = (r: number, j = 0) => get(fn.int(add(get(places[r]!), load(get(k), 4 * j))));
    const byVector = () =>
      fn.while(ltU(get(k), get(end)), () => {
        storeVector(v, kind, "vector", get(4), loadVector(v, dtype, "vector", at(0)));
        next(1);
      });
    const scattered = dtype === "float32" || dtype === "float64";
    const oneByOne = () => {
      const inner = get(fn.int(load(get(k))));
      const address = (r: number) => add(get(places[r]!), inner);
      if (scattered) {
        const [first, lane] = width === 4 ? [92, 86] : [93, 87];
        let vector = simdMemory(first, 0, address(0));
        for (let r = 1; r < width; r++) vector = [simdMemory(lane, 0, address(r), vector), r];
        storeVector(v, kind, "vector", get(4), vector);
      } else {
        v.lanes = 1;
        for (let r = 0; r < width; r++) {
          const from = get(fn.int(address(r)));
          storeVector(v, kind, "vector", get(4), loadVector(v, dtype, "vector", from), r);
        }
        v.lanes = width;
      }
      next(1);
    };
    const transposed = () => {
      const rows = places.map((_, r) => v.keep(loadVector(v, dtype, "vector", at(r))));
      const columns = width === 4 ? transpose4(v, rows) : transpose2(v, rows);
      columns.forEach((column, j) => {
        fn.push(simdMemory(11, 0, j === 0 ? get(4) : add(get(4), mul(get(5), i32(j))), column));
      });
      next(width);
    };
    fn.if(
      allNext((n) => get(places[n]!)),
      byVector,
      () => {
        // Whole runs first: the test costs three comparisons for sixteen elements.
        fn.while(leU(add(get(k), i32(4 * width)), get(end)), () => {
          fn.if(
            allNext((n) => load(get(k), 4 * n)),
            transposed,
            () => {
              for (let n = 0; n < width; n++) oneByOne();
            },
          );
        });
        fn.while(ltU(get(k), get(end)), oneByOne);
      },
    );
    return fn;
  };
  return asm.callHelper(`pack${dtype}.${width}`, make, base, rows, inner, count, target, step);
}

function transpose4(v: Vector, [a, b, c, d]: readonly Code[]): Code[] {
  const low = (x: Code, y: Code) => v.keep(shuffle32(x, y, [0, 4, 1, 5]));
  const high = (x: Code, y: Code) => v.keep(shuffle32(x, y, [2, 6, 3, 7]));
  const [ab, cd, AB, CD] = [low(a!, b!), low(c!, d!), high(a!, b!), high(c!, d!)];
  return [
    shuffle32(ab, cd, [0, 1, 4, 5]),
    shuffle32(ab, cd, [2, 3, 6, 7]),
    shuffle32(AB, CD, [0, 1, 4, 5]),
    shuffle32(AB, CD, [2, 3, 6, 7]),
  ];
}

const transpose2 = (_v: Vector, [a, b]: readonly Code[]): Code[] => [
  shuffle32(a!, b!, [0, 1, 4, 5]),
  shuffle32(a!, b!, [2, 3, 6, 7]),
];

/** The product of one packed row panel with one packed column panel, in eight accumulators. */
export function emitTile(v: Vector, left: Code, right: Code, inner: Code, accumulators: readonly number[]): void {
  const { fn, width } = v;
  const type = width === 4 ? "f32" : "f64";
  const size = 16 / width;
  const [rowBytes, columnBytes] = [4 * size, 32];
  const [a, b, k] = [fn.int(left), fn.int(right), fn.int(inner)];
  const b0 = fn.local(V128);
  const b1 = fn.local(V128);
  const x = fn.local(V128);
  const steps = (count: number) => {
    for (let u = 0; u < count; u++) {
      fn.set(b0, simdMemory(0, columnBytes * u, get(b)));
      fn.set(b1, simdMemory(0, columnBytes * u + 16, get(b)));
      for (let r = 0; r < 4; r++) {
        fn.set(x, simdMemory(width === 4 ? 9 : 10, rowBytes * u + size * r, get(a)));
        const [low, high] = [accumulators[2 * r]!, accumulators[2 * r + 1]!];
        fn.push(set(low, v.madd(type, get(x), get(b0), get(low))), set(high, v.madd(type, get(x), get(b1), get(high))));
      }
    }
    fn.set(a, add(get(a), i32(rowBytes * count)));
    fn.set(b, add(get(b), i32(columnBytes * count)));
    fn.set(k, sub(get(k), i32(count)));
  };
  fn.while(leU(i32(4), get(k)), () => steps(4));
  fn.while(get(k), () => steps(1));
}
