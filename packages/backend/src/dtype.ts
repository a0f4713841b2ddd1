import { DescentError } from "./error.ts";
import { nearest } from "./nearest.ts";

/**
 * Element types of a buffer, spelled as in PyTorch.
 *
 * `float16` and `bfloat16` are storage types: arithmetic happens in float32. `int64` is held in 32 bits on every backend
 * (WebGPU has no 64-bit integers): it carries indices and counts between -2^31 and 2^31 - 1.
 */
export type DType = "float32" | "float64" | "float16" | "bfloat16" | "int32" | "int64" | "uint32" | "uint8" | "bool";

/** Types a value can have inside a program. A `mask` is the outcome of a comparison; only a mask selects. */
export type ValueType = "f32" | "f64" | "i32" | "u32" | "mask";

/** Typed arrays that cross the backend border. float16 and bfloat16 cross as their 16 bits, int64 as int32. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

type HostArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): HostArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): HostArray;
};

interface DTypeInfo {
  /** What a load of this type gives and a store takes. */
  readonly value: ValueType;
  /** The typed array that carries it across the backend border. */
  readonly array: HostArrayConstructor;
  readonly kind: "float" | "int" | "bool";
}

const info: Record<DType, DTypeInfo> = {
  float32: { value: "f32", array: Float32Array, kind: "float" },
  float64: { value: "f64", array: Float64Array, kind: "float" },
  float16: { value: "f32", array: Uint16Array, kind: "float" },
  bfloat16: { value: "f32", array: Uint16Array, kind: "float" },
  int32: { value: "i32", array: Int32Array, kind: "int" },
  int64: { value: "i32", array: Int32Array, kind: "int" },
  uint32: { value: "u32", array: Uint32Array, kind: "int" },
  uint8: { value: "u32", array: Uint8Array, kind: "int" },
  bool: { value: "mask", array: Uint8Array, kind: "bool" },
};

/** Every dtype, in the order of the docs. */
export const dtypes = Object.keys(info) as DType[];

/** The value type a load of `dtype` gives. */
export const valueType = (dtype: DType): ValueType => info[dtype].value;

/** Whether `dtype` holds real numbers. */
export const isFloat = (dtype: DType): boolean => info[dtype].kind === "float";

/** The group a dtype belongs to in type promotion. */
export const dtypeKind = (dtype: DType): "float" | "int" | "bool" => info[dtype].kind;

/** Bytes one element takes on the host and, unless a backend widens it, in its memory. */
export const byteSize = (dtype: DType): number => info[dtype].array.BYTES_PER_ELEMENT;

/** A zeroed host array that can carry `length` elements of `dtype`. */
export const hostArray = (dtype: DType, length: number): HostArray => new info[dtype].array(length);

/** A view of `buffer` as elements of `dtype`. */
export const hostView = (dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): HostArray =>
  new info[dtype].array(buffer, byteOffset, length);

/** Returns `dtype` when it is one, and otherwise throws with the nearest valid name. */
export function checkDType(operation: string, dtype: unknown): DType {
  if (typeof dtype === "string" && Object.hasOwn(info, dtype)) return dtype as DType;
  const name = String(dtype);
  throw new DescentError(
    "dtype",
    operation,
    "unknown dtype",
    { dtype: name },
    `Did you mean "${nearest(name, dtypes)}"?`,
  );
}
