import { type Backend, type Buffer, byteSize, DescentError, type DType, isDescentError } from "@descent/backend";
import type { Scope } from "./scope.ts";
import { type Block, type Home, Storage } from "./storage.ts";
import { watcher } from "./watch.ts";

export { type Block, Storage } from "./storage.ts";

/** What one `Memory` holds, for `memory()`. */
export interface MemoryReport {
  /** Bytes and buffers that are live now, and the most bytes that ever were. */
  readonly bytes: number;
  readonly buffers: number;
  readonly peakBytes: number;
  /** Live bytes and buffers by the operation that made them, largest first. */
  readonly sites: readonly { readonly site: string; readonly bytes: number; readonly buffers: number }[];
}

/** Blocks that may go when room is needed, oldest first, with what they weigh. */
class Loose extends Set<Block> implements Home {
  bytes = 0;

  override add(block: Block): this {
    if (!this.has(block)) this.bytes += block.bytes + overhead;
    return super.add(block);
  }
  override delete(block: Block): boolean {
    if (this.has(block)) this.bytes -= block.bytes + overhead;
    return super.delete(block);
  }
}

/** What a small buffer costs beside its elements, roughly. */
const overhead = 1024;

/** Loose bytes that may always stay before older ones are reclaimed. */
const floor = 64 * 2 ** 20;

/** A running loop: what its iterations made and may be given back. */
interface Loop {
  /** Made in this iteration. */
  readonly current: Set<Block>;
  /** Made in earlier ones. */
  readonly earlier: Set<Block>;
  /** The scope around the loop. */
  readonly scope: Scope | null;
  /** The generation the loop began with, and this iteration. */
  readonly began: number;
  start: number;
}

const staleStep = "the end of a training step (it was made in an earlier one, and nobody kept it)";
const staleIteration =
  "the end of an iteration (it was made in an earlier one, not used in this one, and nobody kept it)";
const staleLoop = "the end of a loop (it was left over from an earlier one, and nobody kept it)";

/** Accounts for every live buffer of one backend, and decides which temporaries to give back. */
export class Memory {
  readonly backend: Backend;
  /** Counts optimizer steps and loop iterations. */
  generation = 0;
  scope: Scope | null = null;
  bytes = 0;
  peakBytes = 0;
  readonly #live = new Set<Block>();
  /** Made outside loops and scopes, since the first step. */
  readonly #loose = new Loose();
  readonly #loops: Loop[] = [];
  /** What outermost loops left behind. */
  readonly #left = new Set<Block>();
  /** The generation at which the outermost loop before this one began. */
  #before = 0;
  /** Loose bytes made in this step. */
  #made = 0;
  readonly #net = new FinalizationRegistry<Block>((block) => this.release(block, "the garbage collector"));

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Makes a storage of `length` elements; `site` names the operation on whose behalf. */
  alloc(dtype: DType, length: number, site: string): Storage {
    const buffer = this.#reserve(dtype, length, site);
    const bytes = byteSize(dtype) * length;
    const within = this.scope?.name ?? null;
    const block: Block = { buffer, bytes, site, within, holds: 0, used: this.generation, home: null, freed: null };
    this.#live.add(block);
    this.bytes += bytes;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
    this.adopt(block);
    const storage = this.#watched(block);
    watcher?.allocated(storage);
    return storage;
  }

  /** The handle of a block, which goes back when the handle is gone. */
  #watched(block: Block): Storage {
    const storage = new Storage(this, block);
    this.#net.register(storage, block);
    return storage;
  }

  #reserve(dtype: DType, length: number, site: string): Buffer {
    try {
      return this.backend.alloc(dtype, length);
    } catch (error) {
      if (!(isDescentError(error) && error.code === "memory")) throw error;
      if (this.#loose.size === 0) throw this.#shortage(error, site);
      this.#reclaim(this.generation, 0);
      try {
        return this.backend.alloc(dtype, length);
      } catch (again) {
        throw isDescentError(again) ? this.#shortage(again, site) : again;
      }
    }
  }

  /** What the backend says of a lack of memory, on behalf of `site`, and who holds most of what there is. */
  #shortage(cause: DescentError, site: string): DescentError {
    const holders = this.report()
      .sites.slice(0, 3)
      .map((one) => `${one.site} (${(one.bytes / 2 ** 20).toFixed(1)} MiB in ${one.buffers})`);
    const facts = { ...cause.facts, ...(holders.length && { "made by": holders.join(", ") }) };
    return new DescentError("memory", site, "out of memory", facts, cause.hint, { cause });
  }

  /** Gives a block back; `reason` is what a later use is told. */
  release(block: Block, reason: string): void {
    if (block.freed !== null) return;
    block.freed = reason;
    this.#leave(block);
    this.#live.delete(block);
    this.bytes -= block.bytes;
    try {
      this.backend.free(block.buffer);
    } catch (error) {
      if (!(isDescentError(error) && error.code === "closed")) throw error; // a closed backend took everything with it
    }
  }

  /** Puts a block where what is made now belongs: in `scope` or the running loop, whichever is inside the other, or among what is loose. */
  adopt(block: Block, scope: Scope | null = this.scope): void {
    this.#leave(block);
    if (block.holds > 0 || block.freed !== null) return;
    const home = this.#around(this.#loops.at(-1), scope) ?? (this.generation > 0 ? this.#loose : null);
    if (home === this.#loose) this.#made += block.bytes + overhead;
    block.home = home;
    home?.add(block);
  }

  #around(loop: Loop | undefined, scope: Scope | null): Set<Block> | null {
    return scope && scope !== loop?.scope ? scope.blocks : (loop?.current ?? null);
  }

  #leave(block: Block): void {
    block.home?.delete(block);
    block.home = null;
  }

  /** Takes a block out of every scope and loop: whoever calls this gives it back. */
  withdraw(block: Block): void {
    this.#leave(block);
  }

  /** The memory of a block under a new handle; the old one counts as given back, for `reason`. */
  renew({ block }: Storage, reason: string): Storage {
    const next: Block = { ...block, used: this.generation, home: null };
    block.freed = reason;
    this.#leave(block);
    this.#live.delete(block);
    this.#live.add(next);
    return this.#watched(next);
  }

  /** One more owner: the block stays until all have let go. */
  hold(block: Block): void {
    if (block.holds++ === 0) this.#leave(block);
  }

  /** Takes one hold back; the block is then as if made now. */
  unhold(block: Block): void {
    if (--block.holds === 0) this.adopt(block);
  }

  /** A loop begins: what its iterations make is given back as they go, and optimizer steps inside it reclaim nothing. */
  enterLoop(): void {
    const began = ++this.generation;
    this.#loops.push({ current: new Set(), earlier: new Set(), scope: this.scope, began, start: began });
  }

  /** Ends one iteration: frees what an earlier one made and this one did not use. */
  endIteration(): void {
    const loop = this.#loops.at(-1);
    if (!loop) return;
    this.#sweep(loop.earlier, loop.start, staleIteration);
    this.#move(loop.current, loop.earlier);
    loop.start = ++this.generation;
  }

  /** The loop is over. What is left belongs to the iteration around it; or stays until two more loops have ended without using it. */
  leaveLoop(): void {
    const loop = this.#loops.pop();
    if (!loop) return;
    const around = this.#around(this.#loops.at(-1), loop.scope);
    for (const blocks of [loop.earlier, loop.current]) this.#move(blocks, around ?? this.#left);
    this.generation++;
    if (around) return;
    this.#sweep(this.#left, this.#before, staleLoop);
    this.#before = loop.began;
    this.#closeStep(loop.began);
  }

  /** Ends an optimizer step outside any loop: reclaims the oldest loose blocks, only when memory would otherwise grow. */
  endStep(): void {
    if (this.#loops.length > 0) return;
    this.#closeStep(this.generation++);
  }

  #closeStep(began: number): void {
    this.#reclaim(began, Math.max(floor, 3 * this.#made));
    this.#made = 0;
  }

  /** Frees what was not used since generation `since`. */
  #sweep(blocks: Set<Block>, since: number, reason: string): void {
    for (const block of blocks) if (block.used < since) this.release(block, reason);
  }

  #move(from: Set<Block>, to: Set<Block>): void {
    for (const block of from) {
      block.home = to;
      to.add(block);
    }
    from.clear();
  }

  /** Frees loose blocks not used since generation `since`, oldest first, until at most `allowed` bytes of them are left. */
  #reclaim(since: number, allowed: number): void {
    if (this.#loose.bytes <= allowed) return;
    for (const block of this.#loose) {
      if (this.#loose.bytes <= allowed) return;
      if (block.used < since) this.release(block, staleStep);
    }
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
}
