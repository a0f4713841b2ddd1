import { readFileSync } from "node:fs";

/** The dtypes that occur in fixtures, by PyTorch's names. */
export type DtypeName = "float64" | "float32" | "float16" | "bfloat16" | "int64" | "int32" | "uint8" | "bool";

/** A number as stored: JSON has no NaN, no infinities and no reliable -0. */
export type RawNumber = number | "nan" | "inf" | "-inf" | "-0";

/** How the recorded input lay in memory: a view of a larger or differently ordered base. See `baseOf`. */
export type Layout =
  | { readonly permute: readonly number[] }
  | { readonly slice: { readonly dim: number; readonly start: number; readonly step: number } }
  | { readonly expand: readonly number[] };

/** A tensor as stored: `data` holds the logical elements in row-major order, whatever the layout. */
export interface RawTensor {
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly data: readonly RawNumber[];
  readonly layout?: Layout;
}

export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array;

/** A tensor ready for use. float16, bfloat16 are widened to float32; int64 is held in doubles. */
export interface FixtureTensor {
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly data: TypedArray;
  readonly layout?: Layout;
}

export type RawInput = RawTensor | RawNumber | null | readonly RawInput[];

/** One call of one operation. */
export interface OpCase {
  readonly op: string;
  readonly inputs: readonly RawInput[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly outputs?: readonly RawTensor[];
  /** Gradients fed to each output; null where the output is not differentiable. */
  readonly gradOutputs?: readonly (RawTensor | null)[];
  /** Gradients of the inputs, nested like `inputs`; null where there is none. */
  readonly grads?: readonly RawInput[];
  /** PyTorch refuses the call; `reason` is the first line of its message. */
  readonly error?: true;
  readonly reason?: string;
  /** The forward pass is defined and the backward pass is not. */
  readonly gradError?: string;
}

/** A whole fixture file, for the families that carry more than cases. */
export function loadFixtureFile<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")) as T;
}

/** The cases of `fixtures/<name>.json`. */
export function loadFixtures<T = OpCase>(name: string): T[] {
  return loadFixtureFile<{ cases: T[] }>(name).cases;
}

export function isRawTensor(value: unknown): value is RawTensor {
  return typeof value === "object" && value !== null && "dtype" in value && "data" in value;
}

const WORDS: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  "-0": -0,
};

export function decodeNumber(value: RawNumber): number {
  if (typeof value === "number") return value;
  const word = WORDS[value];
  if (word === undefined) throw new Error(`not a stored number: ${JSON.stringify(value)}`);
  return word;
}

/** Stored numbers as the typed array that holds this dtype. */
export function decodeData(dtype: DtypeName, data: readonly RawNumber[]): TypedArray {
  const values = data.map(decodeNumber);
  switch (dtype) {
    case "float64":
    case "int64":
      return Float64Array.from(values);
    case "float32":
    case "float16":
    case "bfloat16":
      return Float32Array.from(values);
    case "int32":
      return Int32Array.from(values);
    case "uint8":
    case "bool":
      return Uint8Array.from(values);
  }
}

export function decode(tensor: RawTensor): FixtureTensor {
  return { ...tensor, data: decodeData(tensor.dtype, tensor.data) };
}
