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
  lane,
  leU,
  load,
  ltU,
  mul,
  or,
  set,
  shuffle32,
  simdMemory,
  store,
  sub,
  uleb,
  V128,
} from "../asm/code.ts";
import { Axes } from "../emit/axes.ts";
import { bytesOf, loadVector } from "../emit/storage.ts";
import { Vector } from "../emit/vector.ts";

/**
 * Writes the byte offsets of `count` consecutive indices, from linear number `start` on, over `axes` axes, and then the last one
 * `extra` times more, so that what reads whole vectors needs no tail. With `run`, the first of every `run` offsets has its lowest bit set
 * where they are `size` bytes apart.
 */
export function callTable(
  asm: Assembly,
  { axes, extra, run = 0, size = 0 }: { axes: number; extra: number; run?: number; size?: number },
  ...[extents, strides, target, start, count]: [Code, Code, Code, Code, Code]
): Code {
  const make = () => {
    const fn = new Fn([I32, I32, I32, I32, I32]);
    const walk = new Axes(fn, get(0), 0, axes);
    walk.decompose(get(3));
    const offset = fn.local(I32);
    const first = fn.int(get(2));
    const put = () => {
      fn.push(store(get(2), get(offset)));
      fn.set(2, add(get(2), i32(4)));
    };
    const end = fn.int(add(get(2), mul(get(4), i32(4))));
    fn.while(ltU(get(2), get(end)), () => {
      let sum: Code = i32(0);
      for (let axis = 0; axis < axes; axis++) sum = add(sum, mul(get(walk.index[axis]!), load(get(1), 4 * axis)));
      fn.set(offset, sum);
      put();
      walk.advance();
    });
    for (let n = 0; n < extra; n++) put();
    if (run) {
      const at = (n: number) => load(get(first), 4 * n);
      const next = Array.from({ length: run - 1 }, (_, n) => eq(sub(at(n + 1), at(n)), i32(size))).reduce(and);
      fn.while(leU(add(get(first), i32(4 * run)), get(end)), () => {
        fn.push(store(get(first), or(at(0), next)));
        fn.set(first, add(get(first), i32(4 * run)));
      });
    }
    return fn;
  };
  return asm.callHelper(`table${axes}.${extra}.${run}.${size}`, make, extents, strides, target, start, count);
}

/** A panel of an operand: `lanes` rows (or columns) of `dtype`, packed next to each other for every inner index. */
interface Panel {
  readonly dtype: DType;
  readonly width: 2 | 4;
  readonly lanes: number;
}

/**
 * Packs one panel over `count` inner indices, whose offsets have their runs marked. Lanes next to each other in memory load as vectors;
 * so do inner runs, which are then transposed.
 */
export function callPack(
  asm: Assembly,
  { dtype, width, lanes }: Panel,
  ...[base, rows, inner, count, target]: [Code, Code, Code, Code, Code]
): Code {
  const make = () => {
    const fn = new Fn([I32, I32, I32, I32, I32]);
    const v = new Vector(fn, asm, width);
    const size = bytesOf(dtype);
    const step = lanes * (16 / width);
    const places = Array.from({ length: lanes }, (_, r) => fn.int(add(get(0), load(get(1), 4 * r))));
    const end = fn.int(add(get(2), mul(get(3), i32(4))));
    const [k, t] = [fn.local(I32), fn.local(I32)];
    const put = (vector: Code, part: number, j: number, lane = 0) => {
      const at = step * j + 16 * part;
      const half = lanes - part * width < width;
      fn.push(half ? [get(t), vector, 0xfd, 91, 0, uleb(at), lane] : simdMemory(11, at, get(t), vector));
    };
    const over = (bytes: number, body: () => void) => {
      fn.while(leU(add(get(k), i32(bytes)), get(end)), () => {
        body();
        fn.set(k, add(get(k), i32(bytes)));
        fn.set(t, add(get(t), i32((bytes / 4) * step)));
      });
    };
    const offset = (j = 0) => get(fn.int(and(load(get(k), 4 * j), i32(-2))));
    const parts = Array.from({ length: Math.ceil(lanes / width) }, (_, part) => part);
    const lanesOf = (part: number) => places.slice(part * width, (part + 1) * width);
    const adjacent = (of: readonly number[]): Code =>
      of
        .slice(1)
        .map((place, n) => eq(sub(get(place), get(of[n]!)), i32(size)))
        .reduce(and);

    const byVector = (chosen: readonly number[]) => {
      const copy = (j: number) => {
        const from = offset(j);
        for (const part of chosen) {
          const address = get(fn.int(add(get(places[part * width]!), from)));
          const half = lanes - part * width < width;
          put(half ? simdMemory(93, 0, address) : loadVector(v, dtype, "vector", address), part, j);
        }
      };
      over(8, () => [0, 1].forEach(copy));
      over(4, () => copy(0));
    };
    const oneByOne = (part: number, j: number) => {
      const from = offset(j);
      const [first, ...others] = lanesOf(part).map((place) => add(get(place), from));
      if (dtype === "float32" || dtype === "float64") {
        const [load, lane] = width === 4 ? [92, 86] : [93, 87];
        let vector = simdMemory(load, 0, first!);
        others.forEach((address, n) => {
          vector = [simdMemory(lane, 0, address, vector), n + 1];
        });
        return put(vector, part, j);
      }
      v.lanes = 1;
      let vector: Code = v.constant("f32", 0);
      [first!, ...others].forEach((address, n) => {
        const scalar = lane(31, 0, loadVector(v, dtype, "vector", get(fn.int(address))));
        vector = v.keep(lane(32, n, vector, scalar));
      });
      v.lanes = width;
      put(vector, part, j);
    };
    const transposed = (part: number) => {
      const from = offset();
      const loaded = lanesOf(part).map((place) =>
        v.keep(loadVector(v, dtype, "vector", get(fn.int(add(get(place), from))))),
      );
      const columns = width === 2 ? transpose2(loaded) : loaded.length === 4 ? transpose4(v, loaded) : [];
      for (const [j, column] of columns.entries()) put(column, part, j);
      const pairs = columns.length ? [] : interleave(v, loaded);
      for (const [n, pair] of pairs.entries()) for (const lane of [0, 1]) put(pair, part, 2 * n + lane, lane);
    };
    const start = () => {
      fn.set(k, get(2));
      fn.set(t, get(4));
    };
    const each = (part: number) => {
      start();
      const alone = () => {
        over(4 * width, () => {
          fn.if(
            and(load(get(k)), i32(1)),
            () => transposed(part),
            () => Array.from({ length: width }, (_, j) => oneByOne(part, j)),
          );
        });
        over(4, () => oneByOne(part, 0));
      };
      fn.if(adjacent(lanesOf(part)), () => byVector([part]), alone);
    };
    start();
    fn.if(
      adjacent(places),
      () => byVector(parts),
      () => parts.forEach(each),
    );
    return fn;
  };
  return asm.callHelper(`pack${dtype}.${width}.${lanes}`, make, base, rows, inner, count, target);
}

const low = (v: Vector, a: Code, b: Code) => v.keep(shuffle32(a, b, [0, 4, 1, 5]));
const high = (v: Vector, a: Code, b: Code) => v.keep(shuffle32(a, b, [2, 6, 3, 7]));

function transpose4(v: Vector, [a, b, c, d]: readonly Code[]): Code[] {
  const [ab, cd, AB, CD] = [low(v, a!, b!), low(v, c!, d!), high(v, a!, b!), high(v, c!, d!)];
  return [
    shuffle32(ab, cd, [0, 1, 4, 5]),
    shuffle32(ab, cd, [2, 3, 6, 7]),
    shuffle32(AB, CD, [0, 1, 4, 5]),
    shuffle32(AB, CD, [2, 3, 6, 7]),
  ];
}

const interleave = (v: Vector, [a, b]: readonly Code[]): Code[] => [low(v, a!, b!), high(v, a!, b!)];

const transpose2 = ([a, b]: readonly Code[]): Code[] => [
  shuffle32(a!, b!, [0, 1, 4, 5]),
  shuffle32(a!, b!, [2, 3, 6, 7]),
];

/** The product of one packed row panel with one packed column panel, two accumulators per row. */
export function emitTile(v: Vector, left: Code, right: Code, inner: Code, accumulators: readonly number[]): void {
  const { fn, width } = v;
  const type = width === 4 ? "f32" : "f64";
  const size = 16 / width;
  const tileRows = accumulators.length / 2;
  const [rowBytes, columnBytes] = [tileRows * size, 32];
  const [a, b, k] = [fn.int(left), fn.int(right), fn.int(inner)];
  const b0 = fn.local(V128);
  const b1 = fn.local(V128);
  const x = fn.local(V128);
  const steps = (count: number) => {
    for (let u = 0; u < count; u++) {
      fn.set(b0, simdMemory(0, columnBytes * u, get(b)));
      fn.set(b1, simdMemory(0, columnBytes * u + 16, get(b)));
      for (let r = 0; r < tileRows; r++) {
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
