import type { Buffer, Limits } from "./backend.ts";
import { byteSize, checkDType, type DType, type HostArray, hostArray } from "./dtype.ts";
import { DescentError } from "./error.ts";
import type { Program } from "./program.ts";

/** What every backend says when it was closed, lost a buffer, or is asked for too much: the same everywhere. */
export const closedError = (backend: string, operation: string): DescentError =>
  new DescentError("closed", operation, "the backend is closed", { backend }, "Make a new one.");

export const freedError = (operation: string, { dtype, length }: Buffer): DescentError =>
  new DescentError("freed", operation, "the buffer was freed", { dtype, length });

export const foreignError = (backend: string, operation: string, { dtype, length }: Buffer): DescentError =>
  new DescentError("device", operation, "the buffer belongs to another backend", { backend, dtype, length });

/** Checks what `alloc` is asked for. */
export function checkAlloc(backend: string, limits: Limits, dtype: DType, length: number): void {
  checkDType("alloc", dtype);
  if (!limits.dtypes.includes(dtype)) {
    throw new DescentError("unsupported", "alloc", "this backend does not hold this dtype", {
      backend,
      dtype,
      supported: limits.dtypes,
    });
  }
  if (!Number.isInteger(length) || length < 0)
    throw new DescentError("argument", "alloc", "the length is not a count", { length });
  if (length > limits.maxLength) {
    throw new DescentError(
      "memory",
      "alloc",
      "more elements than this backend can hold in one buffer",
      { backend, dtype, length, bytes: byteSize(dtype) * length, "most elements": limits.maxLength },
      "Split the tensor.",
    );
  }
}

/** Checks that `offset` and `length` stay inside `buffer`. */
export function checkRange(operation: string, buffer: Buffer, offset: number, length: number): void {
  if (
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= buffer.length
  )
    return;
  throw new DescentError("argument", operation, "the range leaves the buffer", {
    "buffer length": buffer.length,
    offset,
    length,
  });
}

const tags = new Map<DType, string>();
const tagOf = (array: HostArray): string => array[Symbol.toStringTag];

/** Checks that `data` is the kind of array that carries the dtype of `buffer`, and that it fits at `offset`. */
export function checkWrite(buffer: Buffer, data: HostArray, offset: number): void {
  let expected = tags.get(buffer.dtype);
  if (expected === undefined) {
    expected = tagOf(hostArray(buffer.dtype, 0));
    tags.set(buffer.dtype, expected);
  }
  if (tagOf(data) !== expected)
    throw new DescentError("dtype", "write", "the array does not carry this dtype", {
      dtype: buffer.dtype,
      expected,
      got: tagOf(data),
    });
  checkRange("write", buffer, offset, data.length);
}

/** Checks that a backend can run `program`. */
export function checkProgram(backend: string, limits: Limits, program: Program): void {
  const { bindings } = program;
  if (bindings.length > limits.maxBindings) {
    throw new DescentError(
      "unsupported",
      "compile",
      "more bindings than this backend can take",
      { backend, bindings: bindings.length, most: limits.maxBindings },
      "Split the fused function.",
    );
  }
  for (const { dtype } of bindings) {
    if (limits.dtypes.includes(dtype)) continue;
    throw new DescentError("unsupported", "compile", "this backend does not compute on this dtype", {
      backend,
      dtype,
      supported: limits.dtypes,
    });
  }
}
