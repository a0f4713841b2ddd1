import type { DType, GatherProgram, Launch, Program, ScatterProgram } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { dotted, unravel } from "../wgsl/address.ts";
import { Frame } from "../wgsl/frame.ts";
import { type Aliases, type Shader, type Slot, shader } from "../wgsl/shader.ts";
import { type Features, held } from "../wgsl/storage.ts";
import { slotsOf } from "./map.ts";
import { type Prepare, Variants } from "./recorder.ts";

const axesOf = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis);

/** Everything that gathers and scatters begin with: the index, checked, and where it points to. */
function located(program: GatherProgram | ScatterProgram, frame: Frame, name: (k: number) => string): string {
  const axes = axesOf(program.rank);
  return `${unravel("i", axes, frame, "x")}
let chosen = u32(${name(1)}[${frame.offset(1)} + ${dotted(1, axes, frame, "x")}]);
let valid = chosen < ${frame.uniform(1, "u32")};
let place = ${frame.offset(0)} + ${dotted(0, axes, frame, "x")} + ${frame.uniform(0, "u32")} * select(0u, chosen, valid);`;
}

const named = (aliases: Aliases | null) => (k: number) => `b${aliases ? aliases[k] : k}`;

/** A gather copies elements as they are stored; an index out of range gives 0. */
function emitGather(program: GatherProgram, features: Features, aliases: Aliases | null): [Shader, Frame] {
  const frame = new Frame(program);
  const name = named(aliases);
  const zero = `${held(program.bindings[0]!.dtype, features)}(0)`;
  const count = frame.extra("count");
  const main = `let i = group * ${groupSize}u + t;
if (i >= ${count}) { return; }
${located(program, frame, name)}
${name(2)}[${frame.offset(2)} + i] = select(${zero}, ${name(0)}[place], valid);`;
  const slots = slotsOf(program, features, aliases);
  return [shader({ label: "gather", slots, frame, main, f16: features.f16 }), frame];
}

const countOf = ({ shape }: Launch): number => shape.reduce((size, extent) => size * extent, 1);

export function prepareGather(program: GatherProgram): Prepare {
  const variants = new Variants<[Shader, Frame]>();
  return (launch, recorder) => {
    const count = countOf(launch);
    if (count === 0) return;
    const aliases = recorder.aliases(program, launch);
    const [code, frame] = variants.get(`${aliases ?? ""}`, () => emitGather(program, recorder.features, aliases));
    recorder.run(code, frame, launch, recorder.blocks(launch, aliases), Math.ceil(count / groupSize), [count]);
  };
}

/** The sum of what is stored and a value, as it is stored, in bits: for elements of 32 bits, and for halves of a word. */
function added(dtype: DType, old: string, value: string): string {
  switch (dtype) {
    case "float32":
      return `bitcast<u32>(bitcast<f32>(${old}) + ${value})`;
    case "bfloat16":
      return `bitcast<u32>(to_bfloat16(bitcast<f32>(${old}) + ${value}))`;
    case "float16":
      return `bitcast<u32>(to_float16(bitcast<f32>(${old}) + ${value}))`;
    case "uint8":
      return `((${old} + ${value}) & 255u)`;
    default:
      return `(${old} + bitcast<u32>(${value}))`;
  }
}

/** Tries until nobody else has changed the word in between. */
const exchange = (word: string, sum: string): string => `var old = atomicLoad(&${word});
loop {
let next = ${sum};
let tried = atomicCompareExchangeWeak(&${word}, old, next);
if (tried.exchanged) { break; }
old = tried.old_value;
}`;

/** Sums by index in any order: the target is seen as words that change atomically. */
function emitAtomicSum(program: ScatterProgram, features: Features): [Shader, Frame] {
  const frame = new Frame(program);
  const { dtype } = program.bindings[0]!;
  const name = named(null);
  const count = frame.extra("count");
  const source = `${name(2)}[${frame.offset(2)} + ${dotted(2, axesOf(program.rank), frame, "x")}]`;
  const half = held(dtype, features) === "f16";
  const word = `b0[place${half ? " >> 1u" : ""}]`;
  // A half is unpacked, added to, rounded by hand (so that packing is exact), and put back beside the other half.
  const sum = half
    ? `insertBits(old, pack2x16float(vec2<f32>(to_float16(unpack2x16float(extractBits(old, shift, 16u)).x + f32(${source})), 0f)), shift, 16u)`
    : added(dtype, "old", source);
  const integer = dtype === "int32" || dtype === "int64" || dtype === "uint32";
  const change = integer ? `atomicAdd(&${word}, bitcast<u32>(${source}));` : exchange(word, sum);
  const slots: Slot[] = slotsOf(program, features, null);
  slots[0] = { name: "b0", type: "atomic<u32>", written: true };
  const main = `let i = group * ${groupSize}u + t;
if (i >= ${count}) { return; }
${located(program, frame, name)}
if (!valid) { return; }
${half ? "let shift = (place & 1u) * 16u;" : ""}
${change}`;
  return [shader({ label: "scatter sum", slots, frame, main, f16: features.f16 }), frame];
}

/**
 * One thread for all elements that may meet in one place, in their order: those along axes on which the target does not
 * move by itself. The same in every run, and as the definition has it; slower where these axes are long.
 */
function emitOrdered(
  program: ScatterProgram,
  features: Features,
  aliases: Aliases | null,
  along: readonly number[],
): [Shader, Frame] {
  const frame = new Frame(program);
  const { rank, mode } = program;
  const { dtype } = program.bindings[0]!;
  const name = named(aliases);
  const axes = axesOf(rank);
  const aside = axes.filter((axis) => !along.includes(axis));
  const count = frame.extra("count");
  const steps = frame.extra("steps");
  const source = `${name(2)}[${frame.offset(2)} + ${dotted(2, axes, frame, "x")}]`;
  const target = `${name(0)}[place]`;
  const type = held(dtype, features);
  const bits = (x: string) => (type === "u32" ? x : `bitcast<u32>(${x})`);
  const back = (x: string) => (type === "u32" ? x : `bitcast<${type}>(${x})`);
  const sum =
    type === "f16" ? `f16(to_float16(f32(${target}) + f32(${source})))` : back(added(dtype, bits(target), source));
  const main = `let thread = group * ${groupSize}u + t;
if (thread >= ${count}) { return; }
${unravel("thread", aside, frame, "x")}
for (var step = 0u; step < ${steps}; step++) {
${unravel("step", along, frame, "x")}
let chosen = u32(${name(1)}[${frame.offset(1)} + ${dotted(1, axes, frame, "x")}]);
if (chosen >= ${frame.uniform(1, "u32")}) { continue; }
let place = ${frame.offset(0)} + ${dotted(0, axes, frame, "x")} + ${frame.uniform(0, "u32")} * chosen;
${target} = ${mode === "sum" ? sum : source};
}`;
  const slots = slotsOf(program, features, aliases);
  return [shader({ label: `scatter ${mode}, in order`, slots, frame, main, f16: features.f16 }), frame];
}

/** Stores by index in any order: one of several that meet wins. */
function emitSet(program: ScatterProgram, features: Features, aliases: Aliases | null): [Shader, Frame] {
  const frame = new Frame(program);
  const name = named(aliases);
  const count = frame.extra("count");
  const main = `let i = group * ${groupSize}u + t;
if (i >= ${count}) { return; }
${located(program, frame, name)}
if (valid) { ${name(0)}[place] = ${name(2)}[${frame.offset(2)} + ${dotted(2, axesOf(program.rank), frame, "x")}]; }`;
  const slots = slotsOf(program, features, aliases);
  return [shader({ label: "scatter", slots, frame, main, f16: features.f16 }), frame];
}

export function prepareScatter(program: ScatterProgram): Prepare {
  const variants = new Variants<[Shader, Frame]>();
  return (launch, recorder) => {
    const count = countOf(launch);
    if (count === 0) return;
    const { features } = recorder;
    const aliases = recorder.aliases(program as Program, launch);
    const blocks = recorder.blocks(launch, aliases);
    if (!recorder.deterministic && (program.mode === "set" || !aliases)) {
      const emit = () =>
        program.mode === "sum" ? emitAtomicSum(program, features) : emitSet(program, features, aliases);
      const [code, frame] = variants.get(`${aliases ?? ""}`, emit);
      recorder.run(code, frame, launch, blocks, Math.ceil(count / groupSize), [count]);
      return;
    }
    const { strides } = launch.args[0]!;
    const along = axesOf(program.rank).filter((axis) => strides[axis] === 0 && launch.shape[axis] !== 1);
    const steps = along.reduce((size, axis) => size * launch.shape[axis]!, 1);
    const [code, frame] = variants.get(`ordered ${along}|${aliases ?? ""}`, () =>
      emitOrdered(program, features, aliases, along),
    );
    recorder.run(code, frame, launch, blocks, Math.ceil(count / steps / groupSize), [count / steps, steps]);
  };
}
