import { castValue, type Launch, type Program, type ValueType } from "@descent/backend";

/** Axes of a program's index space. */
export const rankOf = (program: Program): number =>
  program.kind === "contract" ? program.batch + program.rows + program.cols + program.inner : program.rank;

/** Axes that a binding has strides for; 0 where it is not strided. */
export function strideAxes(program: Program, binding: number): number {
  const access = program.bindings[binding]?.access;
  if (access === "stridedRow" && program.kind === "fold") return program.rank - program.reduced;
  if (access !== "strided") return 0;
  if (program.kind === "contract" && binding >= 2) return program.batch + program.rows + program.cols;
  return rankOf(program);
}

/** Word `index` of the parameters, as WGSL. */
export const word = (index: number): string => `P[${index >> 2}].${"xyzw"[index & 3]}`;

/** Bits that WGSL cannot write as constants, so that they come along with every launch. */
const nanBits = 0x7fc00000;
const infinityBits = 0x7f800000;
/** A mask that changes nothing, which no compiler can know: see `kept`. */
const everyBit = 0xffffffff;
const commonWords = 3;

/**
 * Where things lie in the parameters of a launch: extents of every axis, offsets of every binding, strides of strided ones,
 * uniforms, then words that a kernel adds for itself. Extents and hyperparameters are numbers: nothing recompiles when they change.
 */
export class Frame {
  readonly program: Program;
  readonly #extents: number;
  readonly #offsets: number;
  readonly #strides: number[] = [];
  readonly #uniforms: number;
  readonly #extra: number;
  readonly #extras: string[] = [];

  constructor(program: Program) {
    this.program = program;
    let next = commonWords;
    const take = (count: number): number => {
      next += count;
      return next - count;
    };
    this.#extents = take(rankOf(program));
    this.#offsets = take(program.bindings.length);
    for (const binding of program.bindings.keys()) this.#strides.push(take(strideAxes(program, binding)));
    this.#uniforms = take(program.uniforms.length);
    this.#extra = next;
  }

  /** Number of words. */
  get words(): number {
    return this.#extra + this.#extras.length;
  }

  static readonly nan = `bitcast<f32>(${word(0)})`;
  static readonly infinity = `bitcast<f32>(${word(1)})`;
  static readonly minusZero = `bitcast<f32>(${word(2)} & 0x80000000u)`;
  static readonly minusInfinity = `bitcast<f32>(${word(1)} | 0x80000000u)`;

  extent(axis: number): string {
    return word(this.#extents + axis);
  }
  offset(binding: number): string {
    return word(this.offsetIndex(binding));
  }
  offsetIndex(binding: number): number {
    return this.#offsets + binding;
  }
  stride(binding: number, axis: number): string {
    return word((this.#strides[binding] as number) + axis);
  }
  uniform(slot: number, type: ValueType): string {
    const bits = word(this.#uniforms + slot);
    if (type === "mask") return `(${bits} != 0u)`;
    return type === "u32" ? bits : `bitcast<${type}>(${bits})`;
  }
  /** A word of the kernel's own, made on first use. */
  extra(name: string): string {
    return word(this.extraIndex(name));
  }
  extraIndex(name: string): number {
    let index = this.#extras.indexOf(name);
    if (index < 0) index = this.#extras.push(name) - 1;
    return this.#extra + index;
  }

  /** Writes what a launch brings along, from word `at` on; the kernel's own words are given in the order of their first use. */
  fill(words: Uint32Array, floats: Float32Array, at: number, launch: Launch, extras: readonly number[]): void {
    const { args, shape, uniforms } = launch;
    words[at] = nanBits;
    words[at + 1] = infinityBits;
    words[at + 2] = everyBit;
    for (let axis = 0; axis < shape.length; axis++) words[at + this.#extents + axis] = shape[axis] as number;
    for (let k = 0; k < args.length; k++) {
      const { offset, strides } = args[k]!;
      words[at + this.#offsets + k] = offset;
      const to = at + (this.#strides[k] as number);
      for (let axis = 0; axis < strides.length; axis++) words[to + axis] = strides[axis] as number;
    }
    const types = this.program.uniforms;
    for (let slot = 0; slot < uniforms.length; slot++) {
      const to = at + this.#uniforms + slot;
      const type = types[slot] as ValueType;
      if (type === "f32") floats[to] = uniforms[slot] as number;
      else
        words[to] = type === "mask" ? Number(uniforms[slot] !== 0) : castValue(uniforms[slot] as number, "f64", type);
    }
    for (let i = 0; i < extras.length; i++) words[at + this.#extra + i] = extras[i] as number;
  }
}
