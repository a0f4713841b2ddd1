import { type Buffer, DescentError, type DType } from "@descent/backend";
import { usage } from "./constants.ts";

/** One GPU buffer. `batch` is the last batch of commands that uses it. */
export interface Block {
  readonly gpu: GPUBuffer;
  readonly id: number;
  readonly bytes: number;
  batch: number;
  /** The batch it was last given back in. */
  freed: number;
}

/** A piece of memory of this backend; `owner` is null once it was given back. */
export class WebgpuBuffer implements Buffer {
  readonly dtype: DType;
  readonly length: number;
  owner: object | null;
  block: Block;
  /** Changes since the start, and the changes that its shadow has seen. */
  version = 0;
  shadowed = -1;
  /** What it held when its shadow was taken, as it lies in memory. */
  shadow: ArrayBuffer | null = null;

  constructor(dtype: DType, length: number, owner: object, block: Block) {
    this.dtype = dtype;
    this.length = length;
    this.owner = owner;
    this.block = block;
  }
}

/** What `memory` says about the device's memory. */
export interface WebgpuMemory {
  /** Bytes in use, and the most there ever were. */
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** Bytes that wait for reuse. */
  readonly pooledBytes: number;
  readonly buffers: number;
}

/** Bytes reserved for `bytes`: four classes an octave, so that at most a quarter is wasted, and always whole vectors. */
export function sizeClass(bytes: number): number {
  if (bytes <= 64) return Math.max(16, Math.ceil(bytes / 16) * 16);
  const step = Math.max(16, 2 ** (Math.ceil(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}

/** Batches after which memory that nobody asked for is given back to the device: a training step may take a dozen. */
const idleBatches = 512;

/** GPU buffers by size class. Freed ones are used again; those that stay idle, or exceed the limit, go back to the device. */
export class Memory {
  readonly #device: GPUDevice;
  readonly #limit: number;
  readonly #most: number;
  readonly #free = new Map<number, Block[]>();
  /** Destroyed once the commands that may use them were submitted. */
  #doomed: Block[] = [];
  #ids = 0;
  #live = 0;
  #peak = 0;
  #pooled = 0;
  #buffers = 0;
  /** Called before a GPU buffer is made, so that running out of memory is noticed. */
  onCreate: (bytes: number) => void = () => {};

  constructor(device: GPUDevice, limit: number, most: number) {
    this.#device = device;
    this.#limit = limit;
    this.#most = most;
  }

  get state(): WebgpuMemory {
    return {
      liveBytes: this.#live,
      peakBytes: this.#peak,
      pooledBytes: this.#pooled,
      buffers: this.#buffers,
    };
  }

  alloc(bytes: number): Block {
    const size = Math.min(sizeClass(bytes), Math.max(this.#most, Math.ceil(bytes / 16) * 16));
    const found = this.#free.get(size)?.pop();
    if (found) this.#pooled -= size;
    const block = found ?? this.#make(size);
    this.#live += size;
    this.#peak = Math.max(this.#peak, this.#live);
    return block;
  }

  free(block: Block, batch: number): void {
    this.#live -= block.bytes;
    block.freed = batch;
    if (this.#pooled + block.bytes > this.#limit) {
      this.#doomed.push(block);
      return;
    }
    const list = this.#free.get(block.bytes);
    if (list) list.push(block);
    else this.#free.set(block.bytes, [block]);
    this.#pooled += block.bytes;
  }

  /** Destroys what is too much; call when every command recorded so far was submitted. */
  trim(batch: number): void {
    for (const block of this.#doomed) this.#destroy(block);
    this.#doomed = [];
    if (batch % 16 !== 0) return;
    for (const [size, list] of this.#free) {
      // The longest idle ones are at the front: blocks are taken from the end.
      let idle = 0;
      while (idle < list.length && batch - (list[idle] as Block).freed > idleBatches) idle++;
      for (const block of list.splice(0, idle)) {
        this.#pooled -= size;
        this.#destroy(block);
      }
    }
  }

  /** Destroys everything that waits for reuse. */
  clear(): void {
    for (const list of this.#free.values()) for (const block of list) this.#doomed.push(block);
    this.#free.clear();
    this.#pooled = 0;
  }

  #destroy(block: Block): void {
    this.#buffers--;
    block.gpu.destroy();
  }

  #make(size: number): Block {
    this.onCreate(size);
    this.#buffers++;
    let gpu: GPUBuffer;
    try {
      gpu = this.#device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget });
    } catch (cause) {
      throw outOfMemory("alloc", { bytes: size, "live bytes": this.#live }, cause);
    }
    return { gpu, id: this.#ids++, bytes: size, batch: -1, freed: -1 };
  }
}

export const outOfMemory = (operation: string, facts: Record<string, unknown>, cause?: unknown): DescentError =>
  new DescentError(
    "memory",
    operation,
    "the GPU has no memory of this size left",
    facts,
    "Free tensors, use smaller batches, or a smaller dtype.",
    { cause },
  );
