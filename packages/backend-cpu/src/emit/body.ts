import { type BodyProgram, castValue, type DType, type Instruction, type Op } from "@descent/backend";
import { emitters, narrowed } from "./ops.ts";

/** A number as JavaScript that may stand anywhere in an expression. */
export const literal = (x: number): string =>
  x < 0 || Object.is(x, -0) ? `(${Object.is(x, -0) ? "-0" : x})` : String(x);

/** The value of a stored element. */
export function loaded(dtype: DType, element: string): string {
  if (dtype === "bool") return `${element} !== 0`;
  if (dtype === "float16") return `halves[${element}]`;
  if (dtype === "bfloat16") return `fromBfloat16(${element})`;
  return element;
}

/** What to store for a value. */
export function stored(dtype: DType, value: string): string {
  if (dtype === "bool") return `${value} ? 1 : 0`;
  if (dtype === "float16") return `toFloat16(${value})`;
  if (dtype === "bfloat16") return `toBfloat16(${value})`;
  return value;
}

/** How instructions reach what lies outside the body: addresses of bindings and the current index. */
export interface Places {
  /** The position of the current element of a binding. */
  readonly address: (binding: number) => string;
  /** The index along an axis; −1: the count over the whole space. */
  readonly index: (axis: number) => string;
  /** The value of the instruction `accumulator`. */
  readonly accumulator?: string;
}

/** Instruction `id` as an operand: constants as literals, everything else by its number. */
export function operand(body: readonly Instruction[], id: number): string {
  const { op, type, imm } = body[id] as Instruction;
  if (op !== "const") return `v${id}`;
  const value = castValue(imm as number, "f64", type);
  return type === "mask" ? String(value !== 0) : literal(value);
}

/** Instruction `id` as a declaration. */
function declaration(program: BodyProgram, id: number, places: Places): string {
  const { body, bindings } = program;
  const { op, type, args, imm } = body[id] as Instruction;
  const expression = (): string => {
    if (op === "uniform") {
      const number = `uniforms[${imm}]`;
      if (type === "mask") return `${number} !== 0`;
      return type === "i32"
        ? `saturateInt(${number})`
        : type === "u32"
          ? `saturateUint(${number})`
          : narrowed(type, number);
    }
    if (op === "load") return loaded(bindings[imm as number]!.dtype, `b${imm}[${places.address(imm as number)}]`);
    if (op === "index") return places.index(imm as number);
    if (op === "accumulator") return narrowed(type, places.accumulator as string);
    const [a = "", b = "", c = ""] = args.map((arg) => operand(body, arg));
    const from = (body[args[0]!] as Instruction).type;
    return emitters[op as Op]({ type, from, a, b, c });
  };
  return `const v${id} = ${expression()};`;
}

/** Instructions `ids`, one a line. */
export const declarations = (program: BodyProgram, ids: Iterable<number>, places: Places): string =>
  [...ids]
    .filter((id) => program.body[id]!.op !== "const")
    .map((id) => declaration(program, id, places))
    .join("\n");

/** Stores as statements. */
export const storing = (program: BodyProgram, stores: BodyProgram["stores"], places: Places): string =>
  stores
    .map(({ binding, value }) => {
      const { dtype } = program.bindings[binding]!;
      return `b${binding}[${places.address(binding)}] = ${stored(dtype, operand(program.body, value))};`;
    })
    .join("\n");

/**
 * The instructions that have one value for a whole launch: constants, uniforms, single elements that are only read, and what
 * follows from them. They are computed once, before any loop.
 */
export function invariants({ body, bindings }: BodyProgram): Set<number> {
  const found = new Set<number>();
  body.forEach(({ op, args, imm }, id) => {
    const binding = op === "load" ? bindings[imm as number] : undefined;
    const own = binding
      ? binding.access === "single" && binding.mode === "read"
      : op !== "index" && op !== "accumulator" && !op.startsWith("fold.");
    if (own && args.every((arg) => found.has(arg))) found.add(id);
  });
  return found;
}
