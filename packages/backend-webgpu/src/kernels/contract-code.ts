import type { ContractProgram } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, type Slot, shader } from "../wgsl/shader.ts";
import { type Features, held } from "../wgsl/storage.ts";
import { epilogueOf } from "./contract-epilogue.ts";
import { type Lie, loader, type Side } from "./contract-load.ts";
import { type Shape, threadsOf } from "./contract-plan.ts";
import { slotsOf } from "./map.ts";

export interface ContractForm {
  readonly shape: Shape;
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
 * one stretch of the inner axes is multiplied, the next one may be on its way. Each thread keeps its sums in registers.
 */
export function emitTiles(program: ContractProgram, features: Features, form: ContractForm): [Shader, Frame] {
  const { batch, rows, cols } = program;
  const { shape, aliases, split } = form;
  const { depth, perThread } = shape;
  const frame = frameOf(program);
  const threads = threadsOf(shape);
  const halves = ([0, 1] as const).every((k) => held(program.bindings[k]!.dtype, features) === "f16");
  const type = shape.half && halves ? "f16" : "f32";
  const left: Side = { binding: 0, axes: range(batch, rows), lie: form.left, type };
  const right: Side = { binding: 1, axes: range(batch + rows, cols), lie: form.right, type };
  const name = (k: number) => `b${aliases ? aliases[k] : k}`;
  const base = (k: number) => `${frame.offset(k)} + ${dotted(k, range(0, batch), frame, "y")}`;
  const word = (what: (typeof words)[number]) => frame.extra(what);
  const blocks = [(shape.rows * depth) / 16, (shape.cols * depth) / 16] as const;
  const rounds = Math.ceil((blocks[0] + blocks[1]) / threads);
  const quads = [shape.rows / 4, shape.cols / 4] as const;
  const deep = depth / 4;

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
  // Where the tiles are held twice, one copy is multiplied while the other one is filled.
  const double = shape.ahead === 2;
  const copy = (side: 0 | 1) => (double ? `copy * ${quads[side] * depth}u + ` : "");
  const keep = (round: number) =>
    either(round, (side) =>
      range(0, 4)
        .map(
          (j) =>
            `tile${side}[${copy(side)}(k${round} + ${j}u) * ${quads[side]}u + (i${round} >> 2u)] = r${round}[${j}];`,
        )
        .join(" "),
    );
  const each = (what: (round: number) => string) => range(0, rounds).map(what).join("\n");

  const quarters = [perThread[0] / 4, perThread[1] / 4] as const;
  // A thread's quarters lie apart, so that neighbours read neighbouring vectors.
  const part = (side: 0 | 1, q: number) => `${(q * quads[side]) / quarters[side]}u + ${side === 0 ? "ty" : "tx"}`;
  const quarter = (side: 0 | 1, q: number) => {
    const four = `tile${side}[${copy(side)}k * ${quads[side]}u + ${part(side, q)}]`;
    return `let ${side === 0 ? "a" : "b"}${q} = ${type === "f16" ? `vec4<f32>(${four})` : four};`;
  };
  const each4 = <T>(what: (r: number, q: number) => T): T[] =>
    range(0, perThread[0]).flatMap((r) => range(0, quarters[1]).map((q) => what(r, q)));
  const multiply = `for (var k = 0u; k < ${depth}u; k++) {
${range(0, quarters[0])
  .map((q) => quarter(0, q))
  .join("\n")}
${range(0, quarters[1])
  .map((q) => quarter(1, q))
  .join("\n")}
${each4((r, q) => `s${r}_${q} = fma(vec4<f32>(a${r >> 2}.${"xyzw"[r & 3]}), b${q}, s${r}_${q});`).join("\n")}
}`;
  const epilogue = epilogueOf(program, features, frame, aliases, form.vector);
  const finish = split
    ? `fn finish_four(z: u32, m: u32, n: u32, sums: vec4<f32>) {
if (m >= ${word("m")}) { return; }
${["x", "y", "z", "w"].map((c, j) => `if (n + ${j}u < ${word("n")}) { partial[(z * ${word("m")} + m) * ${word("n")} + n + ${j}u] = sums.${c}; }`).join("\n")}
}`
    : `${epilogue.one}\n${epilogue.four}`;
  const store = each4((r, q) => {
    const m = `row0 + (${part(0, r >> 2)}) * 4u + ${r & 3}u`;
    return `finish_four(${split ? "slot" : "z"}, ${m}, col0 + (${part(1, q)}) * 4u, s${r}_${q});`;
  });
  const fetches = each(fetch);
  const keeps = each(keep);
  const stretches = {
    0: `for (var at = start; at < stop; at += ${depth}u) {
${fetches}
${keeps}
workgroupBarrier();
${multiply}
workgroupBarrier();
}`,
    1: `var at = start;
${fetches}
while (at < stop) {
${keeps}
workgroupBarrier();
at += ${depth}u;
if (at < stop) {
${fetches}
}
${multiply}
workgroupBarrier();
}`,
    2: `var at = start;
var copy = 0u;
${fetches}
${keeps}
workgroupBarrier();
while (at < stop) {
at += ${depth}u;
if (at < stop) {
${fetches}
}
${multiply}
copy = 1u - copy;
if (at < stop) {
${keeps}
}
workgroupBarrier();
}`,
  }[shape.ahead];
  const main = `let across = ${word("tilesAcross")};
let plane = ${word("tilesDown")} * across;
let slot = group / plane;
if (slot >= ${word("batches")} * ${word("splits")}) { return; }
let inPlane = group % plane;
let wide = ${band}u * across;
let firstBand = (inPlane / wide) * ${band}u;
let high = min(${band}u, ${word("tilesDown")} - firstBand);
let row0 = (firstBand + (inPlane % wide) % high) * ${shape.rows}u;
let col0 = ((inPlane % wide) / high) * ${shape.cols}u;
let z = slot % ${word("batches")};
${unravel("z", range(0, batch), frame, "y")}
let base0 = ${base(0)};
let base1 = ${base(1)};
let start = (slot / ${word("batches")}) * ${word("stretch")};
let stop = min(${word("k")}, start + ${word("stretch")});
let ty = t / ${shape.cols / perThread[1]}u;
let tx = t % ${shape.cols / perThread[1]}u;
${each((r) => `var i${r}: u32; var k${r}: u32; var o${r}: vec4<u32>; var r${r}: mat4x4<${type}>;`)}
${each(place)}
${each4((r, q) => `var s${r}_${q} = vec4<f32>(0f);`).join(" ")}
${stretches}
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
    label: `contract ${shape.rows} × ${shape.cols}`,
    slots: split ? [...all.slice(0, 2), partial] : all,
    frame,
    threads,
    declarations: `${[0, 1].map((side) => `var<workgroup> tile${side}: array<vec4<${type}>, ${quads[side]! * depth * (double ? 2 : 1)}>;`).join("\n")}
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
