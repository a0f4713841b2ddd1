import type { ContractProgram } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, type Slot, shader } from "../wgsl/shader.ts";
import type { Features } from "../wgsl/storage.ts";
import { epilogueOf } from "./contract-epilogue.ts";
import { type Lie, loader, type Side } from "./contract-load.ts";
import { slotsOf } from "./map.ts";

/** The part of the result that a workgroup computes, and that each of its threads does. */
export interface Tile {
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  /** Rows and columns of one thread: 4 or 8. */
  readonly perThread: number;
}

export interface ContractForm {
  readonly tile: Tile;
  readonly left: Lie;
  readonly right: Lie;
  readonly aliases: Aliases | null;
  /** Results are stored four at a time. */
  readonly vector: boolean;
  /** Sums of a part of the inner axes go to scratch; another shader adds them up. */
  readonly split: boolean;
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** The kernel's own words, in order. */
export const words = ["m", "n", "k", "tilesDown", "tilesAcross", "splits", "stretch", "batches"] as const;

function frameOf(program: ContractProgram): Frame {
  const frame = new Frame(program);
  for (const name of words) frame.extra(name);
  return frame;
}

/** Rows of tiles that are worked on together, so that what they load stays in the cache. */
const band = 8;

/**
 * The product by tiles in workgroup memory. Threads load 4 × 4 elements at a time as vectors along rows and along columns; while
 * one stretch of the inner axes is multiplied, the next one is on its way. Each thread keeps its sums in registers.
 */
export function emitTiles(program: ContractProgram, features: Features, form: ContractForm): [Shader, Frame] {
  const { batch, rows, cols } = program;
  const { tile, aliases, split } = form;
  const frame = frameOf(program);
  const threads = (tile.rows / tile.perThread) * (tile.cols / tile.perThread);
  const left: Side = { binding: 0, axes: range(batch, rows), lie: form.left };
  const right: Side = { binding: 1, axes: range(batch + rows, cols), lie: form.right };
  const name = (k: number) => `b${aliases ? aliases[k] : k}`;
  const base = (k: number) => `${frame.offset(k)} + ${dotted(k, range(0, batch), frame, "y")}`;
  const word = (what: (typeof words)[number]) => frame.extra(what);
  const blocks = [(tile.rows * tile.depth) / 16, (tile.cols * tile.depth) / 16] as const;
  const rounds = Math.ceil((blocks[0] + blocks[1]) / threads);
  const quads = [tile.rows / 4, tile.cols / 4] as const;
  const deep = tile.depth / 4;

  /** What a thread does in one round of loading: for the left operand, the right one, or either. */
  const either = (round: number, what: (side: 0 | 1) => string): string => {
    const [from, to] = [round * threads, (round + 1) * threads];
    if (to <= blocks[0]) return what(0);
    const end = blocks[0] + blocks[1];
    if (from >= blocks[0] && to <= end) return what(1);
    const second = to <= end ? "else" : `else if (t + ${from}u < ${end}u)`;
    return from >= blocks[0]
      ? `if (t + ${from}u < ${end}u) { ${what(1)} }`
      : `if (t + ${from}u < ${blocks[0]}u) { ${what(0)} } ${second} { ${what(1)} }`;
  };
  const place = (round: number) =>
    either(round, (side) => {
      const block = `(t + ${round * threads}u${side === 1 ? ` - ${blocks[0]}u` : ""})`;
      const across = (side === 0 ? form.left : form.right).along === "outer";
      const [outer, inner] = across
        ? [`${block} % ${quads[side]}u`, `${block} / ${quads[side]}u`]
        : [`${block} / ${deep}u`, `${block} % ${deep}u`];
      const first = side === 0 ? "row0" : "col0";
      return `i${round} = (${outer}) * 4u; k${round} = (${inner}) * 4u; o${round} = outers${side}(${first} + i${round});`;
    });
  const fetch = (round: number) =>
    either(round, (side) => {
      const first = side === 0 ? "row0" : "col0";
      return `r${round} = load${side}(base${side}, o${round}, ${first} + i${round}, at + k${round}, stop);`;
    });
  const keep = (round: number) =>
    either(round, (side) =>
      range(0, 4)
        .map((j) => `tile${side}[(k${round} + ${j}u) * ${quads[side]}u + (i${round} >> 2u)] = r${round}[${j}];`)
        .join(" "),
    );
  const each = (what: (round: number) => string) => range(0, rounds).map(what).join("\n");

  const quarters = tile.perThread / 4;
  // A thread's quarters lie half a tile apart, so that neighbours read neighbouring vectors.
  const part = (side: 0 | 1, q: number) => `${(q * quads[side]) / quarters}u + ${side === 0 ? "ty" : "tx"}`;
  const sums = range(0, tile.perThread).flatMap((r) => range(0, quarters).map((q) => `s${r}_${q}`));
  const multiply = [
    ...range(0, quarters).map((q) => `let a${q} = tile0[k * ${quads[0]}u + ${part(0, q)}];`),
    ...range(0, quarters).map((q) => `let b${q} = tile1[k * ${quads[1]}u + ${part(1, q)}];`),
    ...range(0, tile.perThread).flatMap((r) =>
      range(0, quarters).map((q) => `s${r}_${q} = fma(vec4<f32>(a${r >> 2}.${"xyzw"[r & 3]}), b${q}, s${r}_${q});`),
    ),
  ].join("\n");
  const epilogue = epilogueOf(program, features, frame, aliases, form.vector);
  const finish = split
    ? `fn finish_four(z: u32, m: u32, n: u32, sums: vec4<f32>) {
if (m >= ${word("m")}) { return; }
${["x", "y", "z", "w"].map((c, j) => `if (n + ${j}u < ${word("n")}) { partial[(z * ${word("m")} + m) * ${word("n")} + n + ${j}u] = sums.${c}; }`).join("\n")}
}`
    : `${epilogue.one}\n${epilogue.four}`;
  const store = range(0, tile.perThread).flatMap((r) =>
    range(0, quarters).map((q) => {
      const m = `row0 + (${part(0, r >> 2)}) * 4u + ${r & 3}u`;
      return `finish_four(${split ? "slot" : "z"}, ${m}, col0 + (${part(1, q)}) * 4u, s${r}_${q});`;
    }),
  );
  const main = `let across = ${word("tilesAcross")};
let plane = ${word("tilesDown")} * across;
let slot = group / plane;
if (slot >= ${word("batches")} * ${word("splits")}) { return; }
let inPlane = group % plane;
let wide = ${band}u * across;
let firstBand = (inPlane / wide) * ${band}u;
let high = min(${band}u, ${word("tilesDown")} - firstBand);
let row0 = (firstBand + (inPlane % wide) % high) * ${tile.rows}u;
let col0 = ((inPlane % wide) / high) * ${tile.cols}u;
let z = slot % ${word("batches")};
${unravel("z", range(0, batch), frame, "y")}
let base0 = ${base(0)};
let base1 = ${base(1)};
let start = (slot / ${word("batches")}) * ${word("stretch")};
let stop = min(${word("k")}, start + ${word("stretch")});
let ty = t / ${tile.cols / tile.perThread}u;
let tx = t % ${tile.cols / tile.perThread}u;
${each((r) => `var i${r}: u32; var k${r}: u32; var o${r}: vec4<u32>; var r${r}: mat4x4<f32>;`)}
${each(place)}
${sums.map((s) => `var ${s} = vec4<f32>(0f);`).join(" ")}
var at = start;
${each(fetch)}
while (at < stop) {
${each(keep)}
workgroupBarrier();
at += ${tile.depth}u;
if (at < stop) {
${each(fetch)}
}
for (var k = 0u; k < ${tile.depth}u; k++) {
${multiply}
}
workgroupBarrier();
}
${store.join("\n")}`;
  const isVector = (k: number) =>
    k === 0
      ? form.left.vector
      : k === 1
        ? form.right.vector
        : form.vector && program.bindings[k]!.access === "flat" && program.bindings[k]!.mode === "write";
  const all = slotsOf(program, features, aliases, isVector);
  const partial: Slot = { name: "partial", type: "f32", written: true };
  const code = shader({
    label: `contract ${tile.rows} × ${tile.cols}`,
    slots: split ? [...all.slice(0, 2), partial] : all,
    frame,
    threads,
    declarations: `var<workgroup> tile0: array<vec4<f32>, ${(tile.rows * tile.depth) / 4}>;
var<workgroup> tile1: array<vec4<f32>, ${(tile.cols * tile.depth) / 4}>;
${loader(program, features, frame, left, name(0))}
${loader(program, features, frame, right, name(1))}
${finish}`,
    main,
    f16: features.f16,
  });
  return [code, frame];
}

/** Adds up what the stretches of the inner axes gave, and ends with the epilogue. */
export function emitSum(program: ContractProgram, features: Features, aliases: Aliases | null): [Shader, Frame] {
  const frame = frameOf(program);
  const epilogue = epilogueOf(program, features, frame, aliases, false);
  const word = (what: (typeof words)[number]) => frame.extra(what);
  const size = `${word("m")} * ${word("n")} * ${word("batches")}`;
  const main = `let i = group * ${groupSize}u + t;
let size = ${size};
if (i >= size) { return; }
var sum = 0f;
for (var s = 0u; s < ${word("splits")}; s++) { sum += partial[s * size + i]; }
let plane = ${word("m")} * ${word("n")};
finish(i / plane, (i % plane) / ${word("n")}, i % ${word("n")}, sum);`;
  const slots = [...slotsOf(program, features, aliases).slice(2), { name: "partial", type: "f32", written: false }];
  return [shader({ label: "contract, sum", slots, frame, declarations: epilogue.one, main, f16: features.f16 }), frame];
}
