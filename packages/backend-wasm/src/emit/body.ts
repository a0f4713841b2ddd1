import type { BodyProgram, Instruction, ValueType } from "@descent/backend";
import { type Code, memory } from "../asm/code.ts";
import { operations } from "./operations.ts";
import { splat, type Vector } from "./vector.ts";

/** Where the instructions that are no scalar operations get their values. */
export interface Sources {
  load(binding: number): Code;
  index(axis: number): Code;
  accumulator?(): Code;
  uniform(slot: number): Code;
}

/** Elements per vector: programs that hold doubles work on two at a time. */
export const widthOf = ({ body }: BodyProgram): 2 | 4 => (body.some(({ type }) => type === "f64") ? 2 : 4);

/** Emits instructions `ids` in order, each into `values`. */
export function emitInstructions(
  v: Vector,
  program: BodyProgram,
  ids: Iterable<number>,
  values: Code[],
  sources: Sources,
): void {
  for (const id of ids) {
    const { op, type, args, imm } = program.body[id] as Instruction;
    values[id] = v.keep(emitOne());

    function emitOne(): Code {
      if (op === "load") return sources.load(imm!);
      if (op === "index") return sources.index(imm!);
      if (op === "uniform") return sources.uniform(imm!);
      if (op === "accumulator") return sources.accumulator!();
      const operands = args.map((arg) => values[arg]!);
      const from: ValueType = program.body[args[op === "select" ? 1 : 0]!]?.type ?? type;
      return operations[op as keyof typeof operations](v, type, operands, from);
    }
  }
}

/** Reads uniform `slot` of the launch, in every lane. Uniforms lie first in the parameters, 8 bytes each. */
export function readUniform(program: BodyProgram, slot: number, parameters: Code): Code {
  const type = program.uniforms[slot]!;
  return splat(type, memory({ f32: 0x2a, f64: 0x2b, i32: 0x28, u32: 0x28, mask: 0x28 }[type], slot * 8, parameters));
}

/** Constants are hoisted by `Vector.constant`; this gives their values without code. */
export function bindConstants(v: Vector, program: BodyProgram, values: Code[]): void {
  program.body.forEach(({ op, type, imm }, id) => {
    if (op === "const") values[id] = v.constant(type, saturate(type, imm!));
  });
}

const saturate = (type: ValueType, value: number): number => {
  if (type === "f32" || type === "f64") return value;
  const [least, most] = type === "i32" ? [-0x80000000, 0x7fffffff] : [0, 0xffffffff];
  return Math.trunc(Math.min(Math.max(value || 0, least), most)) | 0;
};
