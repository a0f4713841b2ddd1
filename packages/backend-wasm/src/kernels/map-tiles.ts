import type { Launch, MapProgram } from "@descent/backend";
import { contiguousStrides } from "@descent/backend";

/** Elements of a tile's line: a cache line of float32. */
const line = 16;

/** `program` with every flat binding strided, over one more axis. */
export const tiled = (program: MapProgram): MapProgram => ({
  ...program,
  key: `tiles of ${program.key}`,
  rank: program.rank + 1,
  bindings: program.bindings.map((binding) =>
    binding.access === "flat" ? { ...binding, access: "strided" } : binding,
  ),
});

/**
 * Launches of the tiled program that together do the same, where an operand runs along another axis than the last one (a
 * transposition): the last axis is cut into short lines, and the other axis comes before them, so that what is fetched is used
 * while it is near. Null where the order at hand is as good.
 */
export function tiles(program: MapProgram, launch: Launch): Launch[] | null {
  const { shape, args } = launch;
  const last = shape.length - 1;
  const extent = shape[last] ?? 0;
  if (extent < 2 * line || program.body.some(({ op }) => op === "index")) return null;
  let other = -1;
  program.bindings.forEach(({ access }, b) => {
    const strides = args[b]!.strides;
    if (access !== "strided" || Math.abs(strides[last]!) < line) return;
    const along = strides.findIndex((stride, axis) => Math.abs(stride) === 1 && shape[axis]! >= line);
    if (along >= 0) other = along;
  });
  if (other < 0) return null;
  const flat = contiguousStrides(shape);
  const own = args.map(({ strides }, b) => (program.bindings[b]!.access === "flat" ? flat : strides));
  const outer = shape.flatMap((_, axis) => (axis === other || axis === last ? [] : [axis]));
  const part = (start: number, count: number, width: number): Launch => ({
    ...launch,
    shape: [...outer.map((axis) => shape[axis]!), count, shape[other]!, width],
    args: args.map((arg, b) => {
      if (program.bindings[b]!.access === "single") return arg;
      const strides = own[b]!;
      const step = strides[last]!;
      return {
        ...arg,
        offset: arg.offset + start * step,
        strides: [...outer.map((axis) => strides[axis]!), width * step, strides[other]!, step],
      };
    }),
  });
  const whole = Math.floor(extent / line);
  const rest = extent % line;
  return [part(0, whole, line), ...(rest ? [part(whole * line, 1, rest)] : [])];
}
