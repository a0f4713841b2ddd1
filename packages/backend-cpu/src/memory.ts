import { type Buffer, byteSize, DescentError, type DType, type HostArray, hostArray } from "@descent/backend";

/** A piece of memory of the cpu backend; `data` may be longer than `length`, and `owner` is null once it was given back. */
export class CpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  data: HostArray;
  owner: Memory | null;

  constructor(dtype: DType, length: number, data: HostArray, owner: Memory) {
    this.dtype = dtype;
    this.length = length;
    this.data = data;
    this.owner = owner;
  }
}

const gone = new Uint8Array(0);
/** What an array costs beside its elements, roughly: a pool of many small ones is bounded too. */
const overhead = 200;

/** Elements reserved for `length`: four classes an octave, so that at most a quarter is wasted. */
export function sizeClass(length: number): number {
  if (length <= 16) return length <= 4 ? 4 : length <= 8 ? 8 : 16;
  const step = 2 ** (29 - Math.clz32(length - 1));
  return Math.ceil(length / step) * step;
}

/**
 * Arrays by size class. Freed ones are used again: a training loop that made new arrays all the time would leave the collector
 * with gigabytes, since it sees a large array as a small object.
 */
export class Memory {
  readonly limit: number;
  open = true;
  /** Bytes held for reuse. */
  pooled = 0;
  readonly #free = new Map<string, Map<number, HostArray[]>>();

  constructor(limit: number) {
    this.limit = limit;
  }

  alloc(dtype: DType, length: number): CpuBuffer {
    const size = sizeClass(length);
    const found = this.#free.get(arrayKind(dtype))?.get(size)?.pop();
    if (found !== undefined) {
      this.pooled -= found.byteLength + overhead;
      return new CpuBuffer(dtype, length, found, this);
    }
    return new CpuBuffer(dtype, length, this.#make(dtype, length, size), this);
  }

  free(buffer: CpuBuffer): void {
    const { data, dtype } = buffer;
    buffer.owner = null;
    buffer.data = gone;
    if (data.byteLength > this.limit) return;
    if (this.pooled + data.byteLength + overhead > this.limit) this.clear();
    const kind = arrayKind(dtype);
    let sizes = this.#free.get(kind);
    if (!sizes) {
      sizes = new Map();
      this.#free.set(kind, sizes);
    }
    const list = sizes.get(data.length);
    if (list) list.push(data);
    else sizes.set(data.length, [data]);
    this.pooled += data.byteLength + overhead;
  }

  clear(): void {
    this.#free.clear();
    this.pooled = 0;
  }

  #make(dtype: DType, length: number, size: number): HostArray {
    try {
      return hostArray(dtype, size);
    } catch {
      this.clear(); // the engine may find room once the pool has gone
    }
    try {
      return hostArray(dtype, length);
    } catch (cause) {
      throw new DescentError(
        "memory",
        "alloc",
        "the engine has no memory of this size",
        { dtype, length, bytes: byteSize(dtype) * length },
        "Free tensors, use smaller batches, or a smaller dtype.",
        { cause },
      );
    }
  }
}

/** dtypes that are held in the same kind of array share their memory. */
const kinds: Record<DType, string> = {
  float32: "f32",
  float64: "f64",
  float16: "u16",
  bfloat16: "u16",
  int32: "i32",
  int64: "i32",
  uint32: "u32",
  uint8: "u8",
  bool: "u8",
};
const arrayKind = (dtype: DType): string => kinds[dtype];
