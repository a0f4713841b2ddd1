import type { Backend, Buffer } from "../backend.ts";
import { type DType, type HostArray, hostArray } from "../dtype.ts";
import { decode, encode } from "../element.ts";
import { type ErrorCode, isDescentError } from "../error.ts";
import { interpret } from "../interpreter.ts";
import { type Op, opRow } from "../ops.ts";
import { print } from "../print.ts";
import type { Program } from "../program.ts";
import { checkLaunch } from "../reach.ts";
import type { HostLaunch } from "../walk.ts";
import { distance, fits, type Tolerance } from "./compare.ts";

/** One buffer of a launch: numbers in the order they are stored, or, for an output, how many there are. */
export interface Operand {
  readonly dtype: DType;
  readonly data: readonly number[];
  readonly offset?: number;
  readonly strides?: readonly number[];
}

/** One launch to compare with the interpreter. */
export interface Trial {
  readonly program: Program;
  readonly operands: readonly Operand[];
  readonly shape: readonly number[];
  readonly uniforms?: readonly number[];
  /** Default: nothing may differ. */
  readonly tolerance?: Tolerance;
  /** Whether −0 and 0 are different. */
  readonly signs?: boolean;
}

/** Thrown where a case needs what the backend's limits exclude; the case then counts as skipped. */
export class NotApplicable extends Error {}

/** Elements after the last one that a launch may touch: they must stay as they are. */
const guard = 3;
const sentinel = 77;

/** Numbers to be overwritten. */
export const blank = (length: number): number[] => new Array<number>(length).fill(sentinel);

function encoded({ dtype, data }: Operand): HostArray {
  const array = hostArray(dtype, data.length + guard);
  for (let i = 0; i < array.length; i++) array[i] = encode(dtype, i < data.length ? (data[i] as number) : sentinel);
  return array;
}

/** What a case works with. */
export class Lab {
  readonly backend: Backend;
  /** Makes another backend of the same kind; the caller closes it. */
  readonly create: () => Promise<Backend>;
  /** Whether the device may take subnormal numbers for 0. */
  readonly flushes: boolean;
  readonly #tolerance: Partial<Record<Op, number>>;

  constructor(
    backend: Backend,
    create: () => Promise<Backend>,
    tolerance: Partial<Record<Op, number>>,
    flushes = false,
  ) {
    this.backend = backend;
    this.create = create;
    this.flushes = flushes;
    this.#tolerance = tolerance;
  }

  /** Units in the last place that `op` may be off: the op table's, or what the backend declared. */
  ulp(op: Op): number {
    return this.#tolerance[op] ?? opRow(op).ulp;
  }

  /** Ends the case where the backend lacks a dtype, and says so. */
  needs(...dtypes: readonly DType[]): void {
    const missing = dtypes.find((dtype) => !this.backend.limits.dtypes.includes(dtype));
    if (missing !== undefined) throw new NotApplicable(`${this.backend.name} has no ${missing}`);
  }

  buffer(operand: Operand, backend = this.backend): Buffer {
    const array = encoded(operand);
    const buffer = backend.alloc(operand.dtype, array.length);
    backend.write(buffer, array);
    return buffer;
  }

  /** The stored numbers of a buffer. */
  async numbers(buffer: Buffer, offset?: number, length?: number, backend = this.backend): Promise<number[]> {
    return Array.from(await backend.read(buffer, offset, length), (stored) => decode(buffer.dtype, stored));
  }

  /** Runs a trial on the backend and in the interpreter, and compares every buffer, whether written or not. */
  async check(trial: Trial): Promise<void> {
    const { program, operands, shape, uniforms = [] } = trial;
    this.needs(...program.bindings.map(({ dtype }) => dtype));
    if ("body" in program && program.body.some(({ type }) => type === "f64")) this.needs("float64");
    checkTrial(trial);
    const wanted = interpreted(trial, operands);
    const buffers = operands.map((operand) => this.buffer(operand));
    const args = operands.map(({ offset = 0, strides = [] }, k) => ({ buffer: buffers[k] as Buffer, offset, strides }));
    const kernel = this.backend.compile(program);
    this.backend.launch({ kernel, args, shape, uniforms, label: "conformance" });
    const got = await Promise.all(buffers.map((buffer) => this.backend.read(buffer)));
    for (const buffer of buffers) this.backend.free(buffer);
    const scales = scalesOf(trial, wanted);
    operands.forEach((operand, k) => {
      const [g, w] = [got[k] as HostArray, wanted[k] as HostArray];
      compareBuffers(trial, operand, k, g, w, scales[k] as readonly number[], this.flushes);
    });
  }
}

/** A case that leaves its own buffers would prove nothing. */
function checkTrial({ program, operands, shape, uniforms = [] }: Trial): void {
  const args = operands.map(({ dtype, data, offset = 0, strides = [] }) => ({
    buffer: { dtype, length: data.length },
    offset,
    strides,
  }));
  checkLaunch({ kernel: { program }, args, shape, uniforms, label: "conformance" });
}

/** The buffers after the interpreter has run. */
function interpreted({ program, shape, uniforms = [] }: Trial, operands: readonly Operand[]): HostArray[] {
  const arrays = operands.map(encoded);
  const args = operands.map(({ offset = 0, strides = [] }, k) => ({ data: arrays[k] as HostArray, offset, strides }));
  const launch: HostLaunch = { program, args, shape, uniforms, label: "conformance" };
  interpret(launch);
  return arrays;
}

const numbersOf = (dtype: DType, array: HostArray): number[] => Array.from(array, (stored) => decode(dtype, stored));

/** Per buffer and element, what a relative tolerance is relative to. */
function scalesOf(trial: Trial, wanted: readonly HostArray[]): (readonly number[])[] {
  const { operands, tolerance } = trial;
  if (tolerance?.of === "magnitude") {
    const positive = operands.map((operand) => ({ ...operand, data: operand.data.map(Math.abs) }));
    return interpreted(trial, positive).map((array, k) =>
      numbersOf((operands[k] as Operand).dtype, array).map(Math.abs),
    );
  }
  return wanted.map((array, k) => {
    const sizes = numbersOf((operands[k] as Operand).dtype, array).map(Math.abs);
    if (tolerance?.of !== "largest") return sizes;
    const largest = Math.max(0, ...sizes.filter(Number.isFinite));
    return sizes.map(() => largest);
  });
}

function compareBuffers(
  { program, shape, tolerance = {}, signs = false }: Trial,
  { dtype, data }: Operand,
  k: number,
  got: HostArray,
  wanted: HostArray,
  scales: readonly number[],
  flushes: boolean,
): void {
  const [g, w] = [numbersOf(dtype, got), numbersOf(dtype, wanted)];
  const wrong = w.flatMap((x, i) =>
    fits(dtype, g[i] as number, x, tolerance, scales[i] as number, signs, flushes) ? [] : [i],
  );
  if (wrong.length === 0) return;
  const show = (i: number) => {
    const place = i < data.length ? `element ${i}` : `element ${i}, after the end of what it was given,`;
    return `  ${place} is ${g[i]} instead of ${w[i]}${distance(dtype, g[i] as number, w[i] as number)}`;
  };
  const more = wrong.length > 5 ? [`  and ${wrong.length - 5} more`] : [];
  throw new Error(
    [
      `buffer ${k} (${dtype}) differs from the interpreter's over [${shape.join(", ")}]:`,
      ...wrong.slice(0, 5).map(show),
      ...more,
      print(program),
    ].join("\n"),
  );
}

/** Fails unless `condition`. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Fails unless two lists of numbers are the same. */
export function assertNumbers(got: readonly number[], wanted: readonly number[]): void {
  const same = got.length === wanted.length && got.every((x, i) => Object.is(x, wanted[i]));
  assert(same, `got [${got.join(", ")}] instead of [${wanted.join(", ")}]`);
}

/** Fails unless `action` throws, at once or when awaited, a DescentError of one of `codes`. */
export async function assertThrows(codes: readonly ErrorCode[], action: () => unknown): Promise<void> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  assert(thrown !== undefined, `nothing was thrown instead of an error of code ${codes.join(" or ")}`);
  if (!isDescentError(thrown)) throw thrown;
  assert(
    codes.includes(thrown.code),
    `the error has code ${thrown.code} instead of ${codes.join(" or ")}: ${thrown.message}`,
  );
}
