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
  shuffle32,
  simdMemory,
  store,
  sub,
  uleb,
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
    const adjacent = parts.map((part) => {
      const of = lanesOf(part);
      const next = of.slice(1).map((place, n) => eq(sub(get(place), get(of[n]!)), i32(size)));
      return get(fn.int(next.reduce(and)));
    });
    const asVector = (part: number, j: number) => {
      const address = get(fn.int(add(get(places[part * width]!), offset(j))));
      const half = lanes - part * width < width;
      put(half ? simdMemory(93, 0, address) : loadVector(v, dtype, "vector", address), part, j);
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
    const eachIndex = (body: (j: number) => void) => {
      for (let j = 0; j < width; j++) body(j);
    };
    fn.set(k, get(2));
    fn.set(t, get(4));
    over(4 * width, () => {
      const run = and(load(get(k)), i32(1));
      for (const part of parts) {
        const apart = () =>
          fn.if(
            run,
            () => transposed(part),
            () => eachIndex((j) => oneByOne(part, j)),
          );
        fn.if(adjacent[part]!, () => eachIndex((j) => asVector(part, j)), apart);
      }
    });
    over(4, () => {
      for (const part of parts) {
        fn.if(
          adjacent[part]!,
          () => asVector(part, 0),
          () => oneByOne(part, 0),
        );
      }
    });
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
