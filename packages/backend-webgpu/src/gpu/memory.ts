import { type Buffer, DescentError, type DType } from "@descent/backend";
import { usage } from "./constants.ts";
import { blank, type Page, Pages } from "./pages.ts";

/** A GPU buffer, or a part of a page. `batch` is the last batch of commands that uses it. */
export interface Block {
  readonly gpu: GPUBuffer;
  readonly id: number;
  readonly bytes: number;
  /** Where it begins in its buffer, in bytes. */
  readonly offset: number;
  /** The page it is part of; null: it has a buffer of its own. */
  readonly page: Page | null;
  batch: number;
  /** The batch it was last given back in. */
  freed: number;
  /** The last group of waiting launches that uses it, and that changes it. */
  used: number;
  changed: number;
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
  /** GPU buffers, and their bytes: small blocks share buffers. */
  readonly buffers: number;
  readonly deviceBytes: number;
}

/** Bytes reserved for `bytes`: four classes an octave, so that at most a quarter is wasted, and always whole vectors. */
export function sizeClass(bytes: number): number {
  if (bytes <= 64) return Math.max(16, Math.ceil(bytes / 16) * 16);
  const step = Math.max(16, 2 ** (Math.ceil(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}

/** Batches after which memory that nobody asked for is given back to the device: a training step may take a dozen. */
const idleBatches = 512;

/**
 * Blocks by size class: small ones in pages, others with a buffer of their own. Freed ones are used again; buffers that stay idle, or
 * exceed the limit, go back to the device.
 */
export class Memory {
  readonly #device: GPUDevice;
  readonly #limit: number;
  readonly #most: number;
  readonly #pages: Pages;
  readonly #paged: number;
  readonly #free = new Map<number, Block[]>();
  /** Destroyed once the commands that may use them were submitted. */
  #doomed: Block[] = [];
  readonly #spares: Block[] = [];
  #ids = 0;
  #live = 0;
  #peak = 0;
  #pooled = 0;
  #buffers = 0;
  #deviceBytes = 0;
  /** Called before a GPU buffer is made, so that running out of memory is noticed. */
  onCreate: (bytes: number) => void = () => {};

  /** `paged`: bytes of the largest block that is part of a page. */
  constructor(device: GPUDevice, limit: number, most: number, paged: number) {
    this.#device = device;
    this.#limit = limit;
    this.#most = most;
    this.#paged = paged;
    this.#pages = new Pages(
      (bytes) => this.#make(bytes),
      () => this.#ids++,
      most,
    );
  }

  get state(): WebgpuMemory {
    return {
      liveBytes: this.#live,
      peakBytes: this.#peak,
      pooledBytes: this.#pooled,
      buffers: this.#buffers,
      deviceBytes: this.#deviceBytes,
    };
  }

  alloc(bytes: number): Block {
    const size = Math.min(sizeClass(bytes), Math.max(this.#most, Math.ceil(bytes / 16) * 16));
    const found = this.#free.get(size)?.pop();
    if (found) this.#pooled -= size;
    const block = found ?? (size <= this.#paged ? this.#pages.cut(size) : blank(this.#make(size), this.#ids++, size));
    if (block.page) block.page.live++;
    this.#live += size;
    this.#peak = Math.max(this.#peak, this.#live);
    return block;
  }

  free(block: Block, batch: number): void {
    const { page } = block;
    this.#live -= block.bytes;
    block.freed = batch;
    const tooMuch = this.#pooled + block.bytes > this.#limit;
    if (tooMuch && !page) {
      this.#doomed.push(block);
      return;
    }
    const list = this.#free.get(block.bytes);
    if (list) insert(list, block);
    else this.#free.set(block.bytes, [block]);
    this.#pooled += block.bytes;
    if (!page) return;
    page.live--;
    page.freed = batch;
    if (tooMuch && page.live === 0) this.#retire(page);
  }

  /** Destroys what is too much; call when every command recorded so far was submitted. */
  trim(batch: number): void {
    if (batch % 16 === 0) this.#retireIdle(batch);
    for (const block of this.#doomed) this.#destroy(block);
    this.#doomed = [];
  }

  #retireIdle(batch: number): void {
    for (const page of this.#pages.all) if (page.live === 0 && batch - page.freed > idleBatches) this.#retire(page);
    for (const [size, list] of this.#free) {
      if (size <= this.#paged) continue;
      const idle = list.filter(({ freed }) => batch - freed > idleBatches);
      if (idle.length === 0) continue;
      this.#pooled -= size * idle.length;
      this.#doomed.push(...idle);
      this.#free.set(
        size,
        list.filter((block) => !idle.includes(block)),
      );
    }
  }

  /** Memory that nothing uses, for bindings that have to name something: always the same for one `n`. */
  spare(n: number): Block {
    let spare = this.#spares[n];
    if (!spare) {
      spare = blank(this.#make(16), this.#ids++, 16);
      this.#spares[n] = spare;
    }
    return spare;
  }

  /** Destroys every buffer that waits for reuse. */
  clear(): void {
    this.#doomed.push(...this.#spares.splice(0).filter((spare) => spare));
    for (const page of this.#pages.all) if (page.live === 0) this.#retire(page);
    for (const [size, list] of this.#free) {
      if (size <= this.#paged) continue;
      this.#pooled -= size * list.length;
      for (const block of list.splice(0)) this.#doomed.push(block);
    }
  }

  /** Takes a page that is not in use out of circulation, with all its blocks. */
  #retire(page: Page): void {
    for (const size of new Set(page.blocks.map(({ bytes }) => bytes))) {
      const list = this.#free.get(size) as Block[];
      const rest = list.filter((block) => block.page !== page);
      this.#pooled -= size * (list.length - rest.length);
      this.#free.set(size, rest);
    }
    this.#pages.drop(page);
    this.#doomed.push(page);
  }

  #destroy({ gpu, bytes }: Block): void {
    this.#buffers--;
    this.#deviceBytes -= bytes;
    gpu.destroy();
  }

  #make(size: number): GPUBuffer {
    this.onCreate(size);
    this.#buffers++;
    this.#deviceBytes += size;
    try {
      return this.#device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget });
    } catch (cause) {
      throw outOfMemory("alloc", { bytes: size, "live bytes": this.#live }, cause);
    }
  }
}

/** Keeps the oldest block at the end, which is taken first: a step that repeats what the step before did then finds the same memory, and with it its bind groups. */
function insert(list: Block[], block: Block): void {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.id > block.id) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, block);
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
