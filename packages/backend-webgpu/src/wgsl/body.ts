import { type BodyProgram, castValue, type Instruction, type Op, type ValueType } from "@descent/backend";
import { circulars } from "./circular.ts";
import { Frame } from "./frame.ts";
import { helpers, prelude } from "./functions.ts";
import { emitters } from "./ops.ts";
import { type Features, loaded } from "./storage.ts";
import { exponentials } from "./transcendental.ts";

/** The type of a value, as WGSL. */
export const wgslType = (type: ValueType): string => (type === "mask" ? "bool" : type);

/** A number as WGSL that may stand anywhere in an expression. What WGSL cannot write comes along as a parameter. */
export function literal(x: number, type: ValueType): string {
  if (type === "mask") return String(x !== 0);
  if (type === "u32") return `${x}u`;
  if (type === "i32") return x === -0x80000000 ? "bitcast<i32>(0x80000000u)" : x < 0 ? `(${x}i)` : `${x}i`;
  const single = Math.fround(x);
  if (Number.isNaN(single)) return Frame.nan;
  if (!Number.isFinite(single)) return single > 0 ? Frame.infinity : Frame.minusInfinity;
  if (single === 0) return Object.is(single, -0) ? Frame.minusZero : "0f";
  return single < 0 ? `(${single}f)` : `${single}f`;
}

/** How instructions reach what lies outside the body. */
export interface Places {
  readonly features: Features;
  readonly frame: Frame;
  /** The stored element of a binding at the current index, as an expression. */
  readonly element: (binding: number) => string;
  /** The index along an axis as a u32; −1: the count over the whole space. */
  readonly index: (axis: number) => string;
  /** The value of the instruction `accumulator`. */
  readonly accumulator?: string;
}

/** Instruction `id` as an operand: constants as literals, everything else by its number. */
export function operand(body: readonly Instruction[], id: number): string {
  const { op, type, imm } = body[id] as Instruction;
  return op === "const" ? literal(castValue(imm as number, "f64", type), type) : `v${id}`;
}

function expression({ body, bindings }: BodyProgram, id: number, places: Places): string {
  const { op, type, args, imm } = body[id] as Instruction;
  if (op === "uniform") return places.frame.uniform(imm as number, type);
  if (op === "load") return loaded(bindings[imm as number]!.dtype, places.features, places.element(imm as number));
  if (op === "index") return type === "u32" ? places.index(imm as number) : `${type}(${places.index(imm as number)})`;
  if (op === "accumulator") return places.accumulator as string;
  const [a = "", b = "", c = ""] = args.map((arg) => operand(body, arg));
  const from = (body[args[0]!] as Instruction).type;
  return emitters[op as Op]({ type, from, a, b, c });
}

/** Instructions `ids`, one a line. */
export const declarations = (program: BodyProgram, ids: Iterable<number>, places: Places): string =>
  [...ids]
    .filter((id) => program.body[id]!.op !== "const")
    .map((id) => `let v${id} = ${expression(program, id, places)};`)
    .join("\n");

const everyHelper = { ...helpers, ...exponentials, ...circulars };

/** Puts in front of `source` the functions of ours that it calls. */
export const withHelpers = (source: string): string => `${prelude(source, everyHelper)}\n${source}`;
