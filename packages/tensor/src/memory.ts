import { type Backend, type Buffer, byteSize, DescentError, type DType } from "@descent/backend";

/** One live buffer and what decides when it may be given back. */
export interface Block {
  readonly buffer: Buffer;
  readonly bytes: number;
  /** The operation that made it. */
  readonly site: string;
  /** Owners that keep it whatever its age: parameters, gradients, optimizer state, `keep`. */
  holds: number;
  /** The generation it was last used in. */
  used: number;
  /** The scope it belongs to; null once it escaped all of them. */
  scope: Scope | null;
  /** How it was given back; null while it lives. */
  freed: string | null;
}

/**
 * The handle tensors share: views of one buffer share one storage. When no tensor is left, a finalizer returns the block;
 * that is the net, not the plan (finalizers never run inside a synchronous loop).
 */
export class Storage {
  readonly memory: Memory;
  readonly dtype: DType;
  /** Counts in-place changes, so that a backward pass can tell when what it needs was overwritten. */
  version = 0;
  readonly block: Block;

  constructor(memory: Memory, block: Block) {
    this.memory = memory;
    this.block = block;
    this.dtype = block.buffer.dtype;
  }

  /** The buffer, marked as used now. Throws when it was given back. */
  buffer(operation: string): Buffer {
    const { block } = this;
    if (block.freed !== null) throw useAfterFree(operation, block);
    block.used = this.memory.generation;
    return block.buffer;
  }
}

const useAfterFree = (operation: string, block: Block): DescentError =>
  new DescentError(
    "freed",
    operation,
    "uses a tensor whose memory was given back",
    { "made by": block.site, "given back by": block.freed },
    "Keep it with keep(t), or read it in time with await t.item() or await t.data().",
  );

/** What one `Memory` holds, for `memory()`. */
export interface MemoryReport {
  /** Bytes and buffers that are live now, and the most bytes that ever were. */
  readonly bytes: number;
  readonly buffers: number;
  readonly peakBytes: number;
  /** Live bytes and buffers by the operation that made them, largest first. */
  readonly sites: readonly { readonly site: string; readonly bytes: number; readonly buffers: number }[];
}

/** A stretch of the program whose temporaries are given back together. Ends with `using`, or by `dispose()`. */
export class Scope implements Disposable {
  readonly name: string;
  readonly parent: Scope | null;
  readonly memory: Memory;
  readonly blocks = new Set<Block>();

  constructor(memory: Memory, name: string) {
    this.memory = memory;
    this.name = name;
    this.parent = memory.scope;
    memory.scope = this;
  }

  /** Ends the scope: frees what was made in it and not kept. */
  dispose(): void {
    if (this.memory.scope !== this) return; // ended already, or by an outer scope
    this.memory.scope = this.parent;
    for (const block of this.blocks) {
      if (block.holds > 0) this.memory.adopt(block, null);
      else this.memory.release(block, `the end of scope "${this.name}"`);
    }
    this.blocks.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Unkept bytes that bare loops may always hold before older generations are reclaimed. */
const floor = 64 * 2 ** 20;

/** Accounts for every live buffer of one backend, and decides which temporaries to give back. */
export class Memory {
  readonly backend: Backend;
  /** Counts optimizer steps and loop iterations. */
  generation = 0;
  scope: Scope | null = null;
  bytes = 0;
  peakBytes = 0;
  readonly #live = new Set<Block>();
  /** Blocks by the generation they were made in, oldest first; generation 0 (before the first step) is never reclaimed. */
  #generations: { generation: number; blocks: Block[] }[] = [];
  #made = 0;
  #loops = 0;
  readonly #net = new FinalizationRegistry<Block>((block) => {
    if (block.freed === null) this.release(block, "the garbage collector");
  });

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Makes a storage of `length` elements; `site` names the operation on whose behalf. */
  alloc(dtype: DType, length: number, site: string): Storage {
    const buffer = this.backend.alloc(dtype, length);
    const bytes = byteSize(dtype) * length;
    const block: Block = { buffer, bytes, site, holds: 0, used: this.generation, scope: this.scope, freed: null };
    this.#live.add(block);
    this.bytes += bytes;
    this.#made += bytes;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
    if (this.scope) this.scope.blocks.add(block);
    else this.#join(block);
    const storage = new Storage(this, block);
    this.#net.register(storage, block);
    return storage;
  }

  /** Gives a block back; `reason` is what a later use is told. */
  release(block: Block, reason: string): void {
    if (block.freed !== null) return;
    block.freed = reason;
    block.scope?.blocks.delete(block);
    this.#live.delete(block);
    this.bytes -= block.bytes;
    try {
      this.backend.free(block.buffer);
    } catch (error) {
      if (!(error instanceof DescentError && error.code === "closed")) throw error; // a closed backend took everything with it
    }
  }

  /** Moves a block to another scope, or out of all. */
  adopt(block: Block, scope: Scope | null): void {
    block.scope?.blocks.delete(block);
    block.scope = scope;
    if (scope) scope.blocks.add(block);
    else this.#join(block);
  }

  /** A loop with its own generations begins: optimizer steps inside it no longer close any. */
  enterLoop(): void {
    this.#loops++;
  }

  leaveLoop(): void {
    this.#loops--;
  }

  /** Ends one iteration of a loop: frees what an earlier iteration made and this one did not use. */
  endIteration(): void {
    this.#reclaim(this.generation - 1, 0);
    this.generation++;
    this.#made = 0;
  }

  /** Ends an optimizer step outside any loop: reclaims the oldest unkept blocks, only when memory would otherwise grow. */
  endStep(): void {
    if (this.#loops > 0) return;
    this.#reclaim(this.generation - 1, Math.max(floor, 3 * this.#made));
    this.generation++;
    this.#made = 0;
  }

  report(): MemoryReport {
    const sites = new Map<string, { site: string; bytes: number; buffers: number }>();
    for (const { site, bytes } of this.#live) {
      const entry = sites.get(site) ?? { site, bytes: 0, buffers: 0 };
      entry.bytes += bytes;
      entry.buffers++;
      sites.set(site, entry);
    }
    const sorted = [...sites.values()].sort((a, b) => b.bytes - a.bytes || b.buffers - a.buffers);
    return { bytes: this.bytes, buffers: this.#live.size, peakBytes: this.peakBytes, sites: sorted };
  }

  #join(block: Block): void {
    if (this.generation === 0) return;
    const last = this.#generations.at(-1);
    if (last?.generation === this.generation) last.blocks.push(block);
    else this.#generations.push({ generation: this.generation, blocks: [block] });
  }

  /** Frees unkept blocks made in or before `newest` and not used since, oldest first, until at most `allowed` unkept bytes are left. */
  #reclaim(newest: number, allowed: number): void {
    const loose = (block: Block) => block.freed === null && block.holds === 0;
    let unkept = 0;
    if (allowed > 0) {
      for (const { blocks } of this.#generations) for (const block of blocks) if (loose(block)) unkept += block.bytes;
      if (unkept <= allowed) return this.#forget();
    }
    for (const entry of this.#generations) {
      if (entry.generation > newest) break;
      for (const block of entry.blocks) {
        if (!loose(block) || block.used > newest || (allowed > 0 && unkept <= allowed)) continue;
        unkept -= block.bytes;
        this.release(block, "the end of a training step (it was made in an earlier one, and nobody kept it)");
      }
    }
    this.#forget();
  }

  /** Drops what is gone from the lists, and held blocks too: `unhold` brings them back. */
  #forget(): void {
    for (const entry of this.#generations)
      entry.blocks = entry.blocks.filter((block) => block.freed === null && block.holds === 0);
    this.#generations = this.#generations.filter((entry) => entry.blocks.length > 0);
  }

  hold(block: Block): void {
    block.holds++;
  }

  /** Takes one hold back; the block is then as old as now. */
  unhold(block: Block): void {
    block.holds--;
    if (block.holds === 0 && block.freed === null && !block.scope) this.#join(block);
  }
}
