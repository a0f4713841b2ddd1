import { identity, isFloat, type ScanProgram, type ValueType, valueType } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { literal } from "../wgsl/body.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, shader } from "../wgsl/shader.ts";
import { type Features, loaded, stored } from "../wgsl/storage.ts";
import { slotsOf } from "./map.ts";
import { type Prepare, Variants } from "./recorder.ts";

/** Elements of one thread, and of a workgroup's step along a line. */
const width = 4;
const step = groupSize * width;

/** Lines longer than this are cut into parts that workgroups take side by side. */
const longest = 8 * step;

/** The passes of a scan: whole lines at once; or the total of every part, and then every part from where the ones before leave off. */
type Pass = "whole" | "totals" | "parts";

/**
 * A workgroup goes along its stretch of a line 1024 elements at a time: every thread folds four, the threads' results are
 * folded by doubling distances, and what came before is put in front. Extrema carry their places: later equal ones and later
 * NaN replace earlier ones, as in PyTorch.
 */
function emitScan(program: ScanProgram, features: Features, aliases: Aliases | null, pass: Pass): [Shader, Frame] {
  const frame = new Frame(program);
  const { rank, reducer } = program;
  const { dtype } = program.bindings[0]!;
  // Sums of bytes wrap when they are stored.
  const type: ValueType = isFloat(dtype) ? "f32" : valueType(dtype) === "u32" ? "u32" : "i32";
  const places = reducer === "max" || reducer === "min";
  for (const name of ["lines", "length", "parts", "chunk"]) frame.extra(name);
  const name = (k: number) => `b${aliases ? aliases[k] : k}`;
  const outer = Array.from({ length: rank - 1 }, (_, axis) => axis);
  const start = literal(identity(reducer, type), type);
  const nan = type === "f32" ? "is_nan(b.value) || (!is_nan(a.value) && " : "(";
  const merge = places
    ? `if (b.place == 0u) { return a; } if (a.place == 0u) { return b; }
if (${nan}b.value ${reducer === "max" ? ">=" : "<="} a.value)) { return b; } return a;`
    : `return Running(a.value ${reducer === "sum" ? "+" : "*"} b.value, 0u);`;
  const carried = (value: string) =>
    `partial[(${value}) * 2u] = bitcast<u32>(total.value); partial[(${value}) * 2u + 1u] = total.place;`;
  const fetched = (value: string) =>
    `Running(bitcast<${type}>(partial[(${value}) * 2u]), partial[(${value}) * 2u + 1u])`;
  const at = (k: number) => `${frame.offset(k)} + line * ${frame.extra("length")} + at`;
  const out = program.bindings[1]!;
  // A place is counted from 1 while it runs: 0 is nowhere.
  const stores = `${name(1)}[${at(1)}] = ${stored(out.dtype, features, out.dtype === "bool" ? "own.value != 0" : "own.value")};
${places ? `${name(2)}[${at(2)}] = i32(own.place) - 1i;` : ""}`;
  const parts = frame.extra("parts");
  const begin =
    pass === "parts"
      ? `for (var q = 0u; q < part; q++) { total = merge(total, ${fetched(`line * ${parts} + q`)}); }`
      : "";
  const main = `let line = group / ${parts};
let part = group % ${parts};
${unravel("line", outer, frame, "x")}
let base = ${frame.offset(0)} + ${dotted(0, outer, frame, "x")};
let stop = min(${frame.extra("length")}, (part + 1u) * ${frame.extra("chunk")});
var total = Running(${start}, 0u);
${begin}
for (var from0 = part * ${frame.extra("chunk")}; from0 < stop; from0 += ${step}u) {
var own4: array<Running, ${width}>;
var sum = Running(${start}, 0u);
for (var j = 0u; j < ${width}u; j++) {
let at = from0 + t * ${width}u + j;
if (at < stop) {
let x = ${type}(${loaded(dtype, features, `${name(0)}[base + at * ${frame.stride(0, rank - 1)}]`)});
sum = merge(sum, Running(x, at + 1u));
}
own4[j] = sum;
}
line_values[t] = sum;
workgroupBarrier();
for (var distance = 1u; distance < ${groupSize}u; distance = distance << 1u) {
var before = Running(${start}, 0u);
if (t >= distance) { before = line_values[t - distance]; }
workgroupBarrier();
if (t >= distance) { line_values[t] = merge(before, line_values[t]); }
workgroupBarrier();
}
${
  pass === "totals"
    ? ""
    : `var before = total;
if (t > 0u) { before = merge(total, line_values[t - 1u]); }
for (var j = 0u; j < ${width}u; j++) {
let at = from0 + t * ${width}u + j;
if (at < stop) {
let own = merge(before, own4[j]);
${stores}
}
}`
}
total = merge(total, line_values[${groupSize - 1}]);
workgroupBarrier();
}
${pass === "totals" ? `if (t == 0u) { ${carried(`line * ${parts} + part`)} }` : ""}`;
  const slots = slotsOf(program, features, aliases);
  const partial = { name: "partial", type: "u32", written: true };
  return [
    shader({
      label: pass === "whole" ? "scan" : `scan, ${pass}`,
      slots: pass === "whole" ? slots : [...slots, partial],
      frame,
      declarations: `struct Running { value: ${type}, place: u32 }
fn merge(a: Running, b: Running) -> Running { ${merge} }
var<workgroup> line_values: array<Running, ${groupSize}>;`,
      main,
      f16: features.f16,
    }),
    frame,
  ];
}

export function prepareScan(program: ScanProgram): Prepare {
  const variants = new Variants<[Shader, Frame]>();
  return (launch, recorder) => {
    const { shape } = launch;
    const length = shape.at(-1) as number;
    const lines = shape.slice(0, -1).reduce((size, extent) => size * extent, 1);
    if (lines === 0 || length === 0) return;
    const aliases = recorder.aliases(program, launch);
    const made = (pass: Pass) =>
      variants.get(`${pass}${aliases ?? ""}`, () => emitScan(program, recorder.features, aliases, pass));
    const blocks = recorder.blocks(launch, aliases);
    const parts = length > longest && lines < 64 ? Math.min(256, Math.ceil(length / step)) : 1;
    const chunk = Math.ceil(length / parts / step) * step;
    const cut = Math.ceil(length / chunk);
    const extras = [lines, length, cut, chunk];
    if (cut === 1) {
      const [code, frame] = made("whole");
      recorder.run(code, frame, launch, blocks, lines, extras, lines * length * 8);
      return;
    }
    const all = [...blocks, recorder.scratch(lines * cut * 8)];
    for (const pass of ["totals", "parts"] as const) {
      const [code, frame] = made(pass);
      recorder.run(code, frame, launch, all, lines * cut, extras, lines * length * 8);
    }
  };
}
