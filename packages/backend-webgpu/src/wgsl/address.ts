import type { Frame } from "./frame.ts";

/** WGSL that takes a count apart into one index per axis, last axis fastest: `prefix0`, `prefix1`, … */
export function unravel(count: string, axes: readonly number[], frame: Frame, prefix: string): string {
  const lines: string[] = [];
  let rest = count;
  for (let i = axes.length - 1; i > 0; i--) {
    const axis = axes[i] as number;
    const next = `${prefix}rest${axis}`;
    lines.push(
      `let ${next} = ${rest} / ${frame.extent(axis)};`,
      `let ${prefix}${axis} = ${rest} - ${next} * ${frame.extent(axis)};`,
    );
    rest = next;
  }
  if (axes.length > 0) lines.push(`let ${prefix}${axes[0]} = ${rest};`);
  return lines.join("\n");
}

/** Σ index · stride of a binding over some axes; "0u" over none. */
export const dotted = (binding: number, axes: readonly number[], frame: Frame, prefix: string, first = 0): string =>
  axes.map((axis) => `${prefix}${axis} * ${frame.stride(binding, axis - first)}`).join(" + ") || "0u";
