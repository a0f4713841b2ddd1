import { DescentError } from "@descent/tensor";

/** What an IDX file holds: its elements in row-major order, ready for `tensor(data).reshape(shape)`. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** uint8, int32, float32 or float64; int8 and int16 are widened to int32. Uint8 data is a view of the given bytes. */
  readonly data: Uint8Array | Int32Array | Float32Array | Float64Array;
}

interface Kind {
  readonly bytes: number;
  readonly make: (length: number) => Int32Array | Float32Array | Float64Array;
  readonly read: (view: DataView, at: number) => number;
}

/** Element types by the code in the third byte; numbers are big-endian. Unsigned bytes (8) need no conversion. */
const kinds: Readonly<Record<number, Kind>> = {
  9: { bytes: 1, make: (n) => new Int32Array(n), read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, make: (n) => new Int32Array(n), read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
};
const unsignedByte = 8;

function malformed(fault: string, facts: Record<string, unknown>, hint = ""): DescentError {
  return new DescentError("data", "readIdx", fault, facts, hint);
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");

/**
 * Reads an IDX file, the format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist): two zero bytes, an element type,
 * the number of axes, one big-endian extent per axis, then the elements. Throws code "data" for anything else, and for a file
 * that is shorter or longer than its extents say.
 *
 * @example
 * const { data, shape } = readIdx(await readFile("train-images-idx3-ubyte"));
 * const images = tensor(data).reshape(shape); // [60000, 28, 28] uint8
 */
export function readIdx(bytes: Uint8Array | ArrayBuffer): IdxArray {
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array))
    throw new DescentError("argument", "readIdx", "takes the bytes of a file", { got: typeof bytes });
  const zipped = file[0] === 0x1f && file[1] === 0x8b;
  if (zipped) throw malformed("the file is compressed", { start: hex(file) }, "Decompress it with gunzip first.");
  if (file.length < 4) throw malformed("the file is too short for a header", { bytes: file.length, needed: 4 });
  const [zero, alsoZero, code, rank] = file as unknown as [number, number, number, number];
  if (zero !== 0 || alsoZero !== 0)
    throw malformed("the magic number is wrong", { start: hex(file) }, "An IDX file starts with two zero bytes.");
  const kind = kinds[code];
  if (!kind && code !== unsignedByte) {
    const hint = "Known are 8 (uint8), 9 (int8), 11 (int16), 12 (int32), 13 (float32) and 14 (float64).";
    throw malformed("unknown element type", { code }, hint);
  }
  const start = 4 + 4 * rank;
  if (file.length < start) throw malformed("the file ends within its header", { bytes: file.length, needed: start });
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, extent) => product * extent, 1);
  const needed = start + size * (kind?.bytes ?? 1);
  if (file.length !== needed) {
    const fault = file.length < needed ? "the file is truncated" : "the file is longer than its header says";
    throw malformed(fault, { shape, bytes: file.length, expected: needed }, "Download it again.");
  }
  if (!kind) return { shape, data: file.subarray(start) };
  const data = kind.make(size);
  for (let i = 0; i < size; i++) data[i] = kind.read(view, start + i * kind.bytes);
  return { shape, data };
}
