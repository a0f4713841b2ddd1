import type { Program } from "@descent/backend";
import { groupSize } from "../gpu/constants.ts";
import { withHelpers } from "./body.ts";
import type { Frame } from "./frame.ts";

/** A compute shader and what it takes; pipelines are made of it once per device. */
export interface Shader {
  readonly code: string;
  /** One letter per storage binding: `r` read, `w` written. */
  readonly slots: string;
  /** Words of parameters. */
  readonly words: number;
  readonly label: string;
}

/** A storage binding: what it holds and whether it is written. */
export interface Slot {
  readonly name: string;
  readonly type: string;
  readonly written: boolean;
}

export interface ShaderParts {
  readonly label: string;
  readonly slots: readonly Slot[];
  readonly frame: Pick<Frame, "words">;
  /** Functions, structures and workgroup memory. */
  readonly declarations?: string;
  /** The body of the entry point; `group` is the number of the workgroup and `t` of the thread in it. */
  readonly main: string;
  readonly threads?: number;
  readonly f16?: boolean;
  /** Threads are numbered along their subgroups, of `subgroup` threads each. */
  readonly subgroups?: boolean;
}

const inSubgroups =
  "@builtin(subgroup_id) which_subgroup: u32, @builtin(subgroup_size) subgroup: u32, @builtin(subgroup_invocation_id) in_subgroup: u32";

/** Puts a shader together. The parameters' words must all have been asked for by then. */
export function shader({
  label,
  slots,
  frame,
  declarations = "",
  main,
  threads = groupSize,
  f16,
  subgroups,
}: ShaderParts): Shader {
  const bindings = slots.map(
    ({ name, type, written }, k) =>
      `@group(0) @binding(${k}) var<storage, ${written ? "read_write" : "read"}> ${name}: array<${type}>;`,
  );
  const rest = withHelpers(`${declarations}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) which: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, ${subgroups ? inSubgroups : "@builtin(local_invocation_index) t: u32"}) {
${subgroups ? "let t = which_subgroup * subgroup + in_subgroup;" : ""}
let group = which.y * groups.x + which.x;
${main}
}`);
  const code = [
    ...(f16 ? ["enable f16;"] : []),
    ...(subgroups ? ["enable subgroups;", "requires subgroup_id;"] : []),
    ...bindings,
    `@group(0) @binding(${slots.length}) var<uniform> P: array<vec4<u32>, ${Math.ceil(frame.words / 4)}>;`,
    rest,
  ].join("\n");
  return { code, slots: slots.map(({ written }) => (written ? "w" : "r")).join(""), words: frame.words, label };
}

const forms = new WeakMap<Shader, Map<string, Shader>>();

/** The same shader with other bindings declared as written: a superset of those that are. */
export function withSlots(shader: Shader, slots: string): Shader {
  const known = forms.get(shader) ?? new Map<string, Shader>();
  forms.set(shader, known);
  let form = known.get(slots);
  if (!form) {
    const code = shader.code.replace(/@binding\((\d+)\) var<storage, read>/g, (found, k) =>
      slots[Number(k)] === "w" ? `@binding(${k}) var<storage, read_write>` : found,
    );
    form = { ...shader, code, slots };
    known.set(slots, form);
  }
  return form;
}

/** Which bindings a program reaches through which slot; the same memory bound twice shares one. */
export type Aliases = readonly number[];

/**
 * The slot of every binding: its own, or that of the first one over the same memory where one of the two is written, or where
 * `always` says that this memory has to be reached through one binding.
 */
export function aliasesOf<T>(
  program: Program,
  blocks: readonly T[],
  always: (block: T) => boolean = () => false,
): Aliases | null {
  let found: number[] | null = null;
  const { bindings } = program;
  for (let k = 1; k < blocks.length; k++) {
    for (let j = 0; j < k; j++) {
      if (blocks[j] !== blocks[k]) continue;
      if (bindings[j]!.mode === "read" && bindings[k]!.mode === "read" && !always(blocks[k]!)) continue;
      found ??= bindings.map((_, i) => i);
      found[k] = found[j] as number;
      break;
    }
  }
  return found;
}
