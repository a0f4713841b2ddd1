import { isFloat, type SortProgram, valueType } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, shader } from "../wgsl/shader.ts";
import { type Features, loaded } from "../wgsl/storage.ts";
import { slotsOf } from "./map.ts";
import { type Prepare, Variants } from "./recorder.ts";

/** Elements that a workgroup sorts in its own memory. */
const tile = 1024;

/**
 * Bits whose unsigned order is the order of the numbers: floats with NaN last and both zeros alike, integers by a shifted sign.
 * Descending order is the order of the complement; equal keys stay in the order of their indices, so that the sort is stable.
 */
function keyOf({ bindings, descending }: SortProgram, features: Features, element: string): string {
  const { dtype } = bindings[0]!;
  const value = loaded(dtype, features, element);
  const key = isFloat(dtype)
    ? `float_key(${value})`
    : dtype === "bool"
      ? `select(0u, 1u, ${value})`
      : valueType(dtype) === "u32"
        ? value
        : `(bitcast<u32>(${value}) ^ 0x80000000u)`;
  return descending ? `~${key}` : key;
}

const floatKey = `fn float_key(x: f32) -> u32 {
if (is_nan(x)) { return 0xffffffffu; }
let u = select(bitcast<u32>(x), 0u, x == 0f);
return select(u | 0x80000000u, ~u, u >= 0x80000000u);
}`;

/** Whether the pair at `a` comes after the one at `b`: what lies beyond a line's end comes last. */
const after = "fn after(a: vec2<u32>, b: vec2<u32>) -> bool { return a.x > b.x || (a.x == b.x && a.y > b.y); }";

type Pass = "first" | "far" | "near" | "only";

/**
 * Bitonic sorting of (key, index) pairs; a line is padded to a power of two. Within a tile all steps run in workgroup memory;
 * steps over longer distances take a dispatch each.
 */
function emitSort(program: SortProgram, features: Features, aliases: Aliases | null, pass: Pass): [Shader, Frame] {
  const frame = new Frame(program);
  const { rank } = program;
  for (const name of ["lines", "length", "padded", "size", "distance", "last", "pairs"]) frame.extra(name);
  const word = (name: string) => frame.extra(name);
  const outer = Array.from({ length: rank - 1 }, (_, axis) => axis);
  const name = (k: number) => `b${aliases ? aliases[k] : k}`;
  const compare = (items: string, i: string, j: string, where: string) => `let x = ${items}[${i}];
let y = ${items}[${j}];
if (after(x, y) == ((${where} & size) == 0u)) { ${items}[${i}] = y; ${items}[${j}] = x; }`;
  const isLast = pass === "near" || pass === "only";
  const finish = `if (${word("last")} == 1u && at < ${word("length")}) {
let own = tile_items[i].y;
${name(1)}[${frame.offset(1)} + line * ${word("length")} + at] = ${name(0)}[base + own * ${frame.stride(0, rank - 1)}];
${name(2)}[${frame.offset(2)} + line * ${word("length")} + at] = i32(own);
}`;
  const load =
    pass === "near"
      ? "tile_items[i] = items[line * padded + at];"
      : `var item = vec2<u32>(0xffffffffu, at | 0x80000000u);
if (at < ${word("length")}) { item = vec2<u32>(${keyOf(program, features, `${name(0)}[base + at * ${frame.stride(0, rank - 1)}]`)}, at); }
tile_items[i] = item;`;
  const within = `let tiles = max(padded / ${tile}u, 1u);
let line = group / tiles;
let from0 = (group % tiles) * ${tile}u;
${unravel("line", outer, frame, "x")}
let base = ${frame.offset(0)} + ${dotted(0, outer, frame, "x")};
let most = min(padded, ${tile}u);
for (var i = t; i < most; i += ${groupSize}u) {
let at = from0 + i;
${load}
}
workgroupBarrier();
for (var size = ${pass === "near" ? word("size") : "2u"}; size <= ${pass === "near" ? word("size") : "most"}; size = size << 1u) {
for (var distance = min(size, most) >> 1u; distance > 0u; distance = distance >> 1u) {
for (var n = t; n < (most >> 1u); n += ${groupSize}u) {
let i = 2u * n - (n & (distance - 1u));
let j = i + distance;
${compare("tile_items", "i", "j", "(from0 + i)")}
}
workgroupBarrier();
}
}
for (var i = t; i < most; i += ${groupSize}u) {
let at = from0 + i;
${pass === "only" ? "" : "items[line * padded + at] = tile_items[i];"}
${isLast ? finish : ""}
}`;
  const far = `let number = group * ${groupSize}u + t;
if (number >= ${word("pairs")}) { return; }
let half = padded >> 1u;
let line = number / half;
let n = number % half;
let distance = ${word("distance")};
let size = ${word("size")};
let at = 2u * n - (n & (distance - 1u));
let i = line * padded + at;
let j = i + distance;
${compare("items", "i", "j", "at")}`;
  const slots = slotsOf(program, features, aliases);
  const items = { name: "items", type: "vec2<u32>", written: true };
  const memory = pass === "far" ? "" : `var<workgroup> tile_items: array<vec2<u32>, ${tile}>;`;
  const key = pass === "first" || pass === "only" ? floatKey : "";
  return [
    shader({
      label: `sort, ${pass}`,
      slots: pass === "only" ? slots : [...slots, items],
      frame,
      declarations: `${after}\n${key}\n${memory}`,
      main: `let padded = ${word("padded")};\n${pass === "far" ? far : within}`,
      f16: features.f16,
    }),
    frame,
  ];
}

export function prepareSort(program: SortProgram): Prepare {
  const variants = new Variants<[Shader, Frame]>();
  return (launch, recorder) => {
    const { shape } = launch;
    const length = shape.at(-1) as number;
    const lines = shape.slice(0, -1).reduce((size, extent) => size * extent, 1);
    if (lines === 0 || length === 0) return;
    const aliases = recorder.aliases(program, launch);
    const padded = 2 ** Math.ceil(Math.log2(Math.max(2, length)));
    const blocks = recorder.blocks(launch, aliases);
    const run = (pass: Pass, all: typeof blocks, size: number, distance: number) => {
      const [code, frame] = variants.get(`${pass}${aliases ?? ""}`, () =>
        emitSort(program, recorder.features, aliases, pass),
      );
      const pairs = (lines * padded) / 2;
      const groups = pass === "far" ? Math.ceil(pairs / groupSize) : lines * Math.max(1, padded / tile);
      const last = Number(pass === "only" || (pass === "near" && size === padded));
      const extras = [lines, length, padded, size, distance, last, pairs];
      recorder.run(code, frame, launch, all, groups, extras, lines * padded * 16);
    };
    if (padded <= tile) {
      run("only", blocks, padded, 0);
      return;
    }
    const all = [...blocks, recorder.scratch(lines * padded * 8)];
    run("first", all, tile, 0);
    for (let size = 2 * tile; size <= padded; size *= 2) {
      for (let distance = size / 2; distance >= tile; distance /= 2) run("far", all, size, distance);
      run("near", all, size, tile / 2);
    }
  };
}
