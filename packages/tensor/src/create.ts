import {
  type Backend,
  checkDType,
  contiguousStrides,
  DescentError,
  type DType,
  encode,
  type HostArray,
  hostArray,
  isFloat,
  type Shape,
  sizeOf,
} from "@descent/backend";
import { checkOptions } from "./options.ts";
import { defaultDType } from "./promote.ts";
import { currentRuntime, runtimeOf } from "./runtime.ts";
import { checkShape } from "./shape.ts";
import { type Nested, Tensor } from "./tensor.ts";

export interface CreateOptions {
  /** Element type. Default: float32, or what the data itself says. */
  readonly dtype?: DType;
  /** Where the tensor lives. Default: the backend in `use`. */
  readonly backend?: Backend;
}

/** A tensor over fresh memory; its contents are unspecified. */
export function empty(shape: Shape, { dtype = defaultDType, backend }: CreateOptions = {}, site = "empty"): Tensor {
  const runtime = backend ? runtimeOf(backend) : currentRuntime(site);
  checkDType(site, dtype);
  checkShape(site, shape);
  if (!runtime.backend.limits.dtypes.includes(dtype)) {
    throw new DescentError(
      "dtype",
      site,
      "this backend cannot hold the dtype",
      { backend: runtime.backend.name, dtype },
      `It holds ${runtime.backend.limits.dtypes.join(", ")}.`,
    );
  }
  return new Tensor(runtime, runtime.memory.alloc(dtype, sizeOf(shape), site), [...shape], contiguousStrides(shape), 0);
}

/** A tensor whose elements are `data`, in row-major order and as they are stored. */
export function fromHost(data: HostArray, shape: Shape, options: CreateOptions, site: string): Tensor {
  const result = empty(shape, options, site);
  if (data.length > 0) result.runtime.write(result.storage, data, site);
  return result;
}

const typedArrays: readonly [new (n: number) => HostArray, DType][] = [
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
  [Uint8Array, "uint8"],
];

/**
 * A tensor from nested arrays, a number or boolean, or a typed array (which gives one axis and its own dtype). Numbers become
 * float32, or int64 when `dtype` says so (JavaScript does not tell 1 from 1.0); booleans alone become bool.
 *
 * @example
 * tensor([[1, 2], [3, 4]]);
 */
export function tensor(
  data: Nested | Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array,
  options: CreateOptions = {},
): Tensor {
  checkOptions("tensor", options, ["dtype", "backend"]);
  const own = typedArrays.find(([type]) => data instanceof type)?.[1];
  if (own) {
    const array = data as HostArray;
    if (options.dtype === undefined || options.dtype === own)
      return fromHost(array, [array.length], { ...options, dtype: own }, "tensor");
    return fromHost(stored(array, options.dtype), [array.length], options, "tensor");
  }
  const shape: number[] = [];
  for (let level = data as Nested; Array.isArray(level); level = level[0] as Nested) shape.push(level.length);
  const flat: (number | boolean)[] = [];
  flatten(data as Nested, shape, 0, flat);
  const dtype = options.dtype ?? (flat.length > 0 && flat.every((x) => typeof x === "boolean") ? "bool" : defaultDType);
  return fromHost(stored(flat.map(Number), checkDType("tensor", dtype)), shape, { ...options, dtype }, "tensor");
}

function flatten(data: Nested, shape: Shape, axis: number, into: (number | boolean)[]): void {
  if (axis === shape.length) {
    if (typeof data === "number" || typeof data === "boolean") into.push(data);
    else
      throw new DescentError(
        "shape",
        "tensor",
        Array.isArray(data) ? "the arrays are ragged" : "an element is no number",
        { axis, found: Array.isArray(data) ? `an array of ${data.length}` : String(data) },
        "Arrays at the same depth must have the same length.",
      );
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[axis]) {
    throw new DescentError(
      "shape",
      "tensor",
      "the arrays are ragged",
      { axis, expected: shape[axis], found: Array.isArray(data) ? data.length : "a number" },
      "Arrays at the same depth must have the same length.",
    );
  }
  for (const element of data) flatten(element as Nested, shape, axis + 1, into);
}

/** Numbers as a dtype stores them. Integer types refuse what they cannot hold. */
function stored(numbers: ArrayLike<number>, dtype: DType): HostArray {
  const result = hostArray(dtype, numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number;
    result[i] = dtype === "bool" ? Number(value !== 0) : encode(dtype, value);
    if (!isFloat(dtype) && dtype !== "bool" && dtype !== "uint8" && result[i] !== Math.trunc(value)) {
      throw new DescentError(
        "dtype",
        "tensor",
        "a number does not fit the dtype",
        { value, dtype },
        dtype === "int64" ? "int64 is held in 32 bits: see the docs of DType." : "Use float32 or float64.",
      );
    }
  }
  return result;
}
