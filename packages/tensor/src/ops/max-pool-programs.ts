import {
  type Built,
  buildFold,
  buildMap,
  type DType,
  type FoldProgram,
  type MapProgram,
  Trace,
  type Value,
} from "@descent/backend";
import type { Sliding } from "./window.ts";

/** Numbers of an axis as `largestProgram` and `hitProgram` take them, in order. */
export const numbersOf = (axes: readonly Sliding[], strides: readonly number[]): number[] =>
  axes.flatMap(({ kernel, stride, dilation, before }, i) => [kernel, stride, dilation, before, strides[i] as number]);

const hypers = (trace: Trace, axis: number): [Value, Value, Value, Value, Value] =>
  [0, 1, 2, 3, 4].map((k) => trace.hyper(axis * 5 + k)) as [Value, Value, Value, Value, Value];

/** Places along the image's axes of element `places` of the current window; windows are axes `first` and on of the index space. */
const along = (trace: Trace, places: readonly Value[], first: number): Value[] =>
  places.map((place, i) => {
    const [, stride, dilation, before] = hypers(trace, i);
    return trace
      .index(first + i)
      .mul(stride)
      .add(place.mul(dilation))
      .sub(before);
  });

/** Their place within the image. */
const position = (trace: Trace, at: readonly Value[]): Value =>
  at.map((value, i) => value.mul(hypers(trace, i)[4])).reduce((a, b) => a.add(b));

/** The largest element of every window, and its place in its image. */
export function largestProgram(dtype: DType, rank: number): Built<FoldProgram> {
  const trace = new Trace({ kind: "fold", rank: 1 + 2 * rank, reduced: rank });
  const value = trace.input(dtype, "strided") as Value;
  const at = along(
    trace,
    Array.from({ length: rank }, (_, i) => trace.index(1 + rank + i)),
    1,
  );
  const here = position(trace, at);
  const top = value.amax();
  // Padding equals the largest only where all of the window is -inf: then the first element inside counts. What is past the
  // end comes later than that one.
  const inside = at.map((value) => value.ge(0)).reduce((a, b) => a.and(b));
  const first = value
    .eq(top)
    .and(inside)
    .select(here, 2 ** 31 - 1)
    .amin();
  // Of several NaN, PyTorch takes the last.
  const lastNaN = value.ne(value).select(here, -1).amax();
  trace.output(dtype, "row", top);
  trace.output("int64", "row", lastNaN.ge(0).select(lastNaN, first));
  return buildFold(trace);
}

/** As `largestProgram`, with one binding for every place of a window: no loop, and no padding. */
export function eachProgram(dtype: DType, rank: number, places: number): Built<MapProgram> {
  const trace = new Trace({ kind: "map", rank: 1 + rank });
  const [first, ...others] = Array.from({ length: places }, () => trace.input(dtype, "strided") as Value);
  const start = Array.from({ length: rank }, (_, i) => trace.index(1 + i).mul(trace.hyper(i))).reduce((a, b) =>
    a.add(b),
  );
  const place = (n: number) => start.add(trace.hyper(rank + n));
  let [top, at] = [first as Value, place(0)];
  // The first of equals wins, and the last NaN.
  others.forEach((value, n) => {
    const better = value.gt(top).or(value.ne(value));
    top = better.select(value, top);
    at = better.select(place(n + 1), at);
  });
  trace.output(dtype, "flat", top);
  trace.output("int64", "flat", at);
  return buildMap(trace);
}

/** An element of `g` where the index names the place, 0 elsewhere; the index space is planes, places, windows. */
export function hitProgram(dtype: DType, rank: number): Built<MapProgram> {
  const trace = new Trace({ kind: "map", rank: 1 + 2 * rank });
  const value = trace.input(dtype, "strided") as Value;
  const index = trace.input("int64", "strided") as Value;
  const places = Array.from({ length: rank }, (_, i) => trace.index(1 + i));
  const here = position(trace, along(trace, places, 1 + rank));
  trace.output(dtype, "strided", index.eq(here).select(value, 0));
  return buildMap(trace);
}
