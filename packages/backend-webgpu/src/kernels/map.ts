import type { Launch, MapProgram } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { declarations, operand } from "../wgsl/body.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, type ShaderParts, type Slot, shader } from "../wgsl/shader.ts";
import { type Features, held, stored } from "../wgsl/storage.ts";
import { emitFused } from "./map-fused.ts";
import { emitJoined, joinedLaunches } from "./map-joined.ts";
import { type Prepare, type Recorder, type Together, Variants } from "./recorder.ts";

/** Elements of one vector, and of one thread. */
const width = 4;
/** Vectors of one thread where the body does so little that one would not keep the memory busy. */
const mostVectors = 4;

/** Storage slots for the bindings of a program; those that share memory share a slot. */
export function slotsOf(
  program: Pick<MapProgram, "bindings">,
  features: Features,
  aliases: Aliases | null,
  vector: (binding: number) => boolean = () => false,
): Slot[] {
  return program.bindings.flatMap(({ dtype, mode }, k) => {
    if (aliases && aliases[k] !== k) return [];
    const type = held(dtype, features);
    const written =
      mode !== "read" || (aliases?.some((slot, j) => slot === k && program.bindings[j]!.mode !== "read") ?? false);
    return [{ name: `b${k}`, type: vector(k) ? `vec4<${type}>` : type, written }];
  });
}

export type Parts = ShaderParts & { readonly frame: Frame; readonly declarations: string };

/** A map as a shader of its own, and several launches of it as one. */
interface Made {
  readonly one: Shader;
  readonly frame: Frame;
  readonly together: Together | null;
}

/** One element per call, four calls per vector: flat bindings go through `vectors` vectors a thread where they are aligned; 0: none. */
function emitMap(program: MapProgram, features: Features, vectors: number, aliases: Aliases | null): Parts {
  const vector = vectors > 0;
  const { bindings, body, stores, rank } = program;
  const frame = new Frame(program);
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const isVector = (k: number) => vector && bindings[k]!.access === "flat";
  const name = (k: number) => `b${aliases ? aliases[k] : k}`;
  const address = (k: number): string => {
    const { access } = bindings[k]!;
    if (access === "single") return frame.offset(k);
    if (access === "flat") return `${frame.offset(k)} + i`;
    return `${frame.offset(k)} + ${dotted(k, axes, frame, "x")}`;
  };
  const places = {
    features,
    frame,
    element: (k: number) => (isVector(k) ? `l${k}` : `${name(k)}[${address(k)}]`),
    index: (axis: number) => (axis < 0 ? "i" : `x${axis}`),
  };
  const needsIndex =
    bindings.some(({ access }) => access === "strided") || body.some(({ op, imm }) => op === "index" && imm !== -1);
  const loads = bindings.flatMap(({ mode, dtype }, k) =>
    isVector(k) && mode !== "write" ? [{ k, type: held(dtype, features) }] : [],
  );
  const vectorStores = stores.filter(({ binding }) => isVector(binding));
  const plainStores = stores.filter(({ binding }) => !isVector(binding));
  const storedAt = ({ binding, value }: (typeof stores)[number]) =>
    stored(bindings[binding]!.dtype, features, operand(body, value));
  const count = frame.extra("count");
  const perElement = `${needsIndex ? unravel("i", axes, frame, "x") : ""}
${declarations(program, body.keys(), places)}
${plainStores.map((store) => `${name(store.binding)}[${address(store.binding)}] = ${storedAt(store)};`).join("\n")}`;
  const parameters = loads.map(({ k, type }) => `, l${k}: ${type}`).join("");
  const fields = vectorStores.map(({ binding }, s) => `s${s}: ${held(bindings[binding]!.dtype, features)}`);
  const results = vectorStores.length > 0;
  const functions = `${results ? `struct Results { ${fields.join(", ")} }` : ""}
fn element(i: u32${parameters})${results ? " -> Results" : ""} {
${perElement}
${results ? `return Results(${vectorStores.map(storedAt).join(", ")});` : ""}
}`;
  const at = (k: number, g = "g") => `${name(k)}[(${frame.offset(k)} >> 2u) + ${g}]`;
  const each = (i: string, part: (k: number) => string) =>
    `element(${[i, ...loads.map(({ k }) => part(k))].join(", ")})`;
  const numbers = Array.from({ length: vectors }, (_, v) => v);
  /** One vector of a thread, once all of them were loaded: nothing that is stored holds a load up. */
  const whole = (v: number) =>
    `${["x", "y", "z", "w"].map((c, n) => `let r${v}_${n} = ${each(`g0_${v} * ${width}u + ${n}u`, (k) => `w${k}_${v}.${c}`)};`).join("\n")}
${vectorStores.map(({ binding }, s) => `${at(binding, `g0_${v}`)} = vec4<${held(bindings[binding]!.dtype, features)}>(${[0, 1, 2, 3].map((n) => `r${v}_${n}.s${s}`).join(", ")});`).join("\n")}`;
  const main = vector
    ? `let g0 = group * ${groupSize * vectors}u + t;
if ((g0 + ${(vectors - 1) * groupSize + 1}u) * ${width}u <= ${count}) {
${numbers.map((v) => `let g0_${v} = g0 + ${v * groupSize}u;`).join("\n")}
${numbers.flatMap((v) => loads.map(({ k }) => `let w${k}_${v} = ${at(k, `g0_${v}`)};`)).join("\n")}
${numbers.map(whole).join("\n")}
} else {
for (var g = g0; g < g0 + ${vectors * groupSize}u; g += ${groupSize}u) {
let i = g * ${width}u;
for (var c = 0u; c < ${width}u && i + c < ${count}; c++) {
let r = ${each("i + c", (k) => `${at(k)}[c]`)};
${vectorStores.map(({ binding }, s) => `${at(binding)}[c] = r.s${s};`).join("\n")}
}
}
}`
    : `let start = group * ${groupSize * width}u + t;
for (var c = 0u; c < ${width}u; c++) {
let i = start + c * ${groupSize}u;
if (i >= ${count}) { return; }
element(i);
}`;
  const slots = slotsOf(program, features, aliases, isVector);
  return { label: "map", slots, frame, declarations: functions, main, f16: features.f16 };
}

/** Whether every flat binding starts at a whole vector, and something is stored through one. */
function isAligned(program: MapProgram, { args }: Launch): boolean {
  let stores = false;
  for (let k = 0; k < args.length; k++) {
    const { access, mode } = program.bindings[k]!;
    if (access !== "flat") continue;
    if (args[k]!.offset % width !== 0) return false;
    stores ||= mode !== "read";
  }
  return stores;
}

export function prepareMap(program: MapProgram): Prepare {
  const variants = new Variants<Made>();
  const isLight = program.body.length <= 8 && program.bindings.length <= 3;
  return (launch: Launch, recorder: Recorder) => {
    let count = 1;
    for (const extent of launch.shape) count *= extent;
    if (count === 0) return;
    const aliases = recorder.aliases(program, launch);
    const vector = !aliases && isAligned(program, launch);
    const isLarge = count >= 8 * recorder.enoughGroups * groupSize * width * mostVectors;
    const vectors = vector ? (isLight && isLarge ? mostVectors : 1) : 0;
    const { one, frame, together } = variants.get(`${vectors}|${aliases ?? ""}`, () => {
      const parts = emitMap(program, recorder.features, vectors, aliases);
      const { frame } = parts;
      if (vectors !== 1) return { one: shader(parts), frame, together: null };
      const fused = emitFused(program, recorder.features, frame, recorder.bindings);
      const several = joinedLaunches(program.bindings.length, recorder.bindings);
      const joined = several > 1 ? emitJoined(parts, several, groupSize * width) : null;
      return { one: shader(parts), frame, together: fused || joined ? { fused, joined } : null };
    });
    const groups = Math.ceil(count / (groupSize * width * Math.max(1, vectors)));
    const blocks = recorder.blocks(launch, aliases);
    if (together && !isLarge) recorder.join(one, together, frame, launch, blocks, groups, [count]);
    else recorder.run(one, frame, launch, blocks, groups, [count], count * 4);
  };
}
