import type { MapProgram } from "@descent/backend";
import { groupSize, parameterBytesOf } from "../gpu/constants.ts";
import { declarations, operand } from "../wgsl/body.ts";
import { type Frame, word } from "../wgsl/frame.ts";
import { type Shader, shader } from "../wgsl/shader.ts";
import { type Features, held, stored } from "../wgsl/storage.ts";

/** Most launches of one dispatch, a power of two, and most pages that they may reach. */
const mostLaunches = 64;
const mostPages = 8;
const mostParameterBytes = 2 ** 16;

/** Many launches of one map over small memory as one dispatch, and which words of each launch's parameters say where it lies. */
export interface Fused {
  readonly shader: Shader;
  readonly launches: number;
  readonly pages: number;
  /** How many launches there are, in the parameters of the first. */
  readonly countWord: number;
  /** The first workgroup of the launch. */
  readonly firstWord: number;
  /** Per binding, its offset in elements and which page it is in. */
  readonly offsetWords: readonly number[];
  readonly pageWords: readonly number[];
}

/**
 * A map over flat and single bindings of words, whose blocks are reached through the pages that they are parts of: what a dispatch
 * costs the host is shared by as many launches as reach no more pages than there are bindings. null: the map is not such a one.
 */
export function emitFused(program: MapProgram, features: Features, frame: Frame, bindings: number): Fused | null {
  const { body, stores } = program;
  const type = (k: number) => held(program.bindings[k]!.dtype, features);
  const fits =
    program.bindings.every(({ access }, k) => access !== "strided" && type(k) !== "f16") &&
    stores.every(({ binding }) => program.bindings[binding]!.access === "flat") &&
    body.every(({ op, imm }) => op !== "index" || imm === -1);
  if (!fits) return null;
  const [count, launchCount, first] = ["count", "launches", "first"].map((name) => frame.extraIndex(name)) as [
    number,
    number,
    number,
  ];
  const pageWords = program.bindings.map((_, k) => frame.extraIndex(`page ${k}`));
  const bytes = parameterBytesOf(frame.words);
  const pages = Math.min(mostPages, bindings);
  const launches = Math.min(mostLaunches, 2 ** Math.floor(Math.log2(mostParameterBytes / bytes)));
  const [page, offset] = [(k: number) => word(pageWords[k]!), (k: number) => frame.offset(k)];
  const isFlat = (k: number) => program.bindings[k]!.access === "flat";
  const loads = program.bindings.flatMap(({ mode }, k) => (isFlat(k) && mode !== "write" ? [k] : []));
  const single = (k: number) => `bitcast<${type(k)}>(take(${page(k)}, ${offset(k)} >> 2u)[${offset(k)} & 3u])`;
  const places = {
    ...{ features, frame },
    element: (k: number) => (isFlat(k) ? `l${k}` : single(k)),
    index: () => "i",
  };
  const results = stores.map((_, s) => `s${s}: u32`).join(", ");
  const bits = ({ binding, value }: (typeof stores)[number]) =>
    `bitcast<u32>(${stored(program.bindings[binding]!.dtype, features, operand(body, value))})`;
  const element = `struct Results { ${results} }
fn element(i: u32${loads.map((k) => `, l${k}: ${type(k)}`).join("")}) -> Results {
${declarations(program, body.keys(), places)}
return Results(${stores.map(bits).join(", ")});
}`;
  const each = (i: string, part: string) => `element(${[i, ...loads.map((k) => `w${k}${part}`)].join(", ")})`;
  const at = (k: number) => `(${offset(k)} >> 2u) + g`;
  const put = ({ binding }: (typeof stores)[number], s: number) =>
    `put(${page(binding)}, ${at(binding)}, vec4<u32>(${["x", "y", "z", "w"].map((c) => `${c}.s${s}`).join(", ")}));`;
  const work = `let g = (group - ${word(first)}) * ${groupSize}u + t;
let start = g * 4u;
if (start >= ${word(count)}) { return; }
${loads.map((k) => `let w${k} = bitcast<vec4<${type(k)}>>(take(${page(k)}, ${at(k)}));`).join("\n")}
if (start + 4u <= ${word(count)}) {
${["x", "y", "z", "w"].map((c, n) => `let ${c} = ${each(`start + ${n}u`, `.${c}`)};`).join("\n")}
${stores.map(put).join("\n")}
} else {
for (var c = 0u; start + c < ${word(count)}; c++) {
let r = ${each("start + c", "[c]")};
${stores.map(({ binding }, s) => `putOne(${page(binding)}, ${at(binding)}, c, r.s${s});`).join("\n")}
}
}`;
  const own = (source: string) => source.replace(/\bP\[(\d+)\]/g, "P[base + $1u]");
  const step = bytes / 16;
  const cases = (use: (n: number) => string) =>
    Array.from({ length: pages }, (_, n) => `${n === pages - 1 ? "default" : `case ${n}u`}: { ${use(n)} }`).join(" ");
  const fused = shader({
    label: "map, many launches",
    slots: Array.from({ length: pages }, (_, n) => ({ name: `q${n}`, type: "vec4<u32>", written: true })),
    frame: { words: (launches * bytes) / 4 },
    declarations: `var<private> base: u32;
fn take(page: u32, at: u32) -> vec4<u32> { switch page { ${cases((n) => `return q${n}[at];`)} } }
fn put(page: u32, at: u32, value: vec4<u32>) { switch page { ${cases((n) => `q${n}[at] = value;`)} } }
fn putOne(page: u32, at: u32, c: u32, value: u32) { switch page { ${cases((n) => `q${n}[at][c] = value;`)} } }
${own(element)}`,
    main: `var job = 0u;
for (var ahead = ${launches / 2}u; ahead > 0u; ahead >>= 1u) {
let next = job + ahead;
if (next < ${word(launchCount)} && P[next * ${step}u + ${first >> 2}u].${"xyzw"[first & 3]} <= group) { job = next; }
}
base = job * ${step}u;
${own(work)}`,
  });
  const offsetWords = program.bindings.map((_, k) => frame.offsetIndex(k));
  return { shader: fused, launches, pages, countWord: launchCount, firstWord: first, offsetWords, pageWords };
}
