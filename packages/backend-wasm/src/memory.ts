import { DescentError } from "@descent/backend";

const page = 65536;
const alignment = 64;
/** Freed blocks of one size kept for the next request of that size, before neighbours are merged. */
const mostKept = 64;

const align = (bytes: number): number => Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export interface MemoryLimits {
  /** Pages of 64 KiB. */
  readonly initial: number;
  readonly maximum: number;
}

/**
 * One WebAssembly memory with an allocator. A freed block first waits for a request of its own size (a training step asks
 * for the same sizes again and again); when nothing fits, all free blocks are merged with their neighbours, and only then does memory grow.
 */
export class Memory {
  readonly memory: WebAssembly.Memory;
  readonly limits: MemoryLimits;
  live = 0;
  peak = 0;
  blocks = 0;
  i32!: Int32Array;
  f32!: Float32Array;
  f64!: Float64Array;
  u8!: Uint8Array;
  /** Free blocks of which no two touch, by address. */
  #free: [address: number, bytes: number][] = [];
  readonly #kept = new Map<number, number[]>();
  readonly #sizes = new Map<number, number>();

  constructor(limits: MemoryLimits, shared: boolean) {
    this.limits = limits;
    try {
      this.memory = new WebAssembly.Memory({ ...limits, shared });
    } catch (cause) {
      throw new DescentError(
        "memory",
        "wasm",
        "the engine does not give this much memory",
        { initial: mebibytes(limits.initial * page), maximum: mebibytes(limits.maximum * page), shared },
        "Lower memory.initial and memory.maximum: shared memory reserves its maximum at once.",
        { cause },
      );
    }
    this.#refresh();
    // Address 0 stays unused, so that no buffer looks like nothing.
    this.#free.push([alignment, this.memory.buffer.byteLength - alignment]);
  }

  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Reserves `bytes`; the address is a multiple of 64. */
  alloc(bytes: number, operation: string): number {
    const size = align(bytes);
    const address = this.#kept.get(size)?.pop() ?? this.#take(size) ?? this.#merge(size) ?? this.#grow(size, operation);
    this.#sizes.set(address, size);
    this.live += size;
    this.blocks++;
    if (this.live > this.peak) this.peak = this.live;
    return address;
  }

  free(address: number): void {
    const size = this.#sizes.get(address)!;
    this.#sizes.delete(address);
    this.live -= size;
    this.blocks--;
    let kept = this.#kept.get(size);
    if (!kept) {
      kept = [];
      this.#kept.set(size, kept);
    }
    if (kept.length < mostKept) kept.push(address);
    else this.#release(address, size);
  }

  #refresh(): void {
    const { buffer } = this.memory;
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
  }

  /** The smallest free block that fits, cut to size. */
  #take(size: number): number | undefined {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const bytes = this.#free[i]![1];
      if (bytes >= size && (best < 0 || bytes < this.#free[best]![1])) best = i;
    }
    if (best < 0) return undefined;
    const block = this.#free[best]!;
    const [address] = block;
    block[0] += size;
    block[1] -= size;
    if (block[1] === 0) this.#free.splice(best, 1);
    return address;
  }

  #merge(size: number): number | undefined {
    for (const [bytes, addresses] of this.#kept) for (const address of addresses) this.#release(address, bytes);
    this.#kept.clear();
    return this.#take(size);
  }

  /** Gives a block back to the free list, merged with its neighbours. */
  #release(address: number, bytes: number): void {
    const free = this.#free;
    let [low, high] = [0, free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (free[middle]![0] < address) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [free[low - 1], free[low]];
    const joinsBefore = before !== undefined && before[0] + before[1] === address;
    const joinsAfter = after !== undefined && address + bytes === after[0];
    if (joinsBefore) {
      before[1] += bytes + (joinsAfter ? after[1] : 0);
      if (joinsAfter) free.splice(low, 1);
    } else if (joinsAfter) [after[0], after[1]] = [address, after[1] + bytes];
    else free.splice(low, 0, [address, bytes]);
  }

  #grow(size: number, operation: string): number {
    const have = this.bytes / page;
    const last = this.#free.at(-1);
    const atEnd = last && last[0] + last[1] === this.bytes ? last[1] : 0;
    const needed = Math.ceil((size - atEnd) / page);
    const generous = Math.min(Math.max(needed, have >> 2), this.limits.maximum - have);
    if (!(this.#growBy(Math.max(generous, needed)) || this.#growBy(needed))) {
      throw new DescentError(
        "memory",
        operation,
        "out of memory",
        {
          asked: mebibytes(size),
          live: `${mebibytes(this.live)} in ${this.blocks} blocks`,
          limit: mebibytes(this.limits.maximum * page),
        },
        "Free tensors you no longer need, use smaller batches, or raise memory.maximum (at most 65536 pages, 4 GiB).",
      );
    }
    this.#release(have * page, this.bytes - have * page);
    return this.#take(size)!;
  }

  #growBy(pages: number): boolean {
    if (this.bytes / page + pages > this.limits.maximum) return false;
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#refresh();
    return true;
  }
}
