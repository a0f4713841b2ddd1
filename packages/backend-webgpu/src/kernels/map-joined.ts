import { parameterBytesOf } from "../gpu/constants.ts";
import { word } from "../wgsl/frame.ts";
import { type Shader, shader } from "../wgsl/shader.ts";
import type { Parts } from "./map.ts";

/** Most launches in one dispatch. */
const mostJoined = 4;

/** How many launches with so many bindings one dispatch takes. */
export const joinedLaunches = (bindings: number, limit: number): number =>
  Math.min(mostJoined, Math.floor(limit / bindings));

/**
 * Several launches of one map in one dispatch: what a dispatch costs the host is shared. Every launch has bindings and parameters
 * of its own, as many steps apart as a launch alone would take, and as many workgroups as its elements need.
 */
export function emitJoined(parts: Parts, launches: number, perGroup: number): Shader {
  const { slots, frame, declarations, main } = parts;
  const bytes = parameterBytesOf(frame.words);
  const count = frame.extraIndex("count");
  const numbers = Array.from({ length: launches }, (_, n) => n);
  const of = (n: number, source: string) =>
    source
      .replace(/\bb(\d+)\b/g, (_, k) => `b${Number(k) + n * slots.length}`)
      .replace(/\bP\[(\d+)\]/g, (_, at) => `P[${Number(at) + (n * bytes) / 16}]`)
      .replace(/\b(element|Results)\b/g, `$1_${n}`);
  const jobs = numbers.map((n) => `${of(n, declarations)}\nfn job_${n}(group: u32, t: u32) {\n${of(n, main)}\n}`);
  const choice = numbers.map((n) => {
    const groups = `(${of(n, word(count))} + ${perGroup - 1}u) / ${perGroup}u`;
    return `let groups_${n} = ${groups};
if (rest < groups_${n}) { job_${n}(rest, t); return; }
rest -= groups_${n};`;
  });
  return shader({
    ...parts,
    label: `map, ${launches} launches`,
    slots: numbers.flatMap((n) => slots.map((slot) => ({ ...slot, name: of(n, slot.name) }))),
    frame: { words: (launches * bytes) / 4 },
    declarations: jobs.join("\n"),
    main: `var rest = group;\n${choice.join("\n")}`,
  });
}
