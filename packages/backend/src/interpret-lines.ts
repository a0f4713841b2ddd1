import { decode, encode } from "./element.ts";
import type { Binding, ScanProgram, SortProgram } from "./program.ts";
import { at, dot, forEachIndex, type HostArg, type HostLaunch, identity } from "./walk.ts";

export function interpretScan(program: ScanProgram, launch: HostLaunch): void {
  const [input, output, places] = launch.args as [HostArg, HostArg, HostArg | undefined];
  const { dtype } = program.bindings[0] as Binding;
  const type =
    dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16" ? "f64" : "i32";
  const length = launch.shape.at(-1) as number;
  let running = 0;
  let place = 0;
  forEachIndex(launch.shape, (index, linear) => {
    const value = decode(dtype, at(input.data, input.offset + dot(index, input.strides)));
    const first = linear % length === 0;
    if (first) running = identity(program.reducer, type);
    if (program.reducer === "sum") running += value;
    else if (program.reducer === "prod") running *= value;
    // As PyTorch: a later equal element replaces an earlier one, and so does a later NaN.
    else if (first || Number.isNaN(value) || (program.reducer === "max" ? value >= running : value <= running))
      [running, place] = [value, linear % length];
    output.data[output.offset + linear] = encode(dtype, type === "i32" ? running | 0 : running);
    if (places) places.data[places.offset + linear] = place;
  });
}

/** Orders numbers with NaN as the largest. */
export const compareNumbers = (a: number, b: number): number =>
  Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b || 0;

export function interpretSort(program: SortProgram, launch: HostLaunch): void {
  const [input, values, indices] = launch.args as [HostArg, HostArg, HostArg];
  const { dtype } = program.bindings[0] as Binding;
  const length = launch.shape.at(-1) as number;
  const inner = input.strides.at(-1) as number;
  let line = 0;
  forEachIndex(launch.shape.slice(0, -1), (index) => {
    const start = input.offset + dot(index, input.strides.slice(0, -1));
    const stored = Array.from({ length }, (_, k) => at(input.data, start + k * inner));
    const numbers = stored.map((bits) => decode(dtype, bits));
    const order = [...stored.keys()].sort((a, b) => {
      const difference = compareNumbers(numbers[a] as number, numbers[b] as number);
      return program.descending ? -difference : difference;
    });
    order.forEach((from, to) => {
      values.data[values.offset + line * length + to] = stored[from] as number;
      indices.data[indices.offset + line * length + to] = from;
    });
    line++;
  });
}
