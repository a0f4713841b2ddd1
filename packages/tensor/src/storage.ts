import { type Buffer, DescentError, type DType } from "@descent/backend";
import type { Memory } from "./memory.ts";
import { watcher } from "./watch.ts";

/** One live buffer and what decides when it may be given back. */
export interface Block {
  readonly buffer: Buffer;
  readonly bytes: number;
  /** The operation that made it, and the scope it was made in (null: outside all). */
  readonly site: string;
  readonly within: string | null;
  /** Owners that keep it whatever its age: parameters, gradients, optimizer state, `keep`. */
  holds: number;
  /** The generation it was last used in. */
  used: number;
  /** What will give it back: a scope, a loop, or whoever makes room; null for what is held, or older than the first step. */
  home: Home | null;
  /** How it was given back; null while it lives. */
  freed: string | null;
}

/** Owns blocks until it gives them back. */
export interface Home {
  add(block: Block): void;
  delete(block: Block): void;
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
    watcher?.used(this);
    return block.buffer;
  }
}

const useAfterFree = (operation: string, block: Block): DescentError =>
  new DescentError(
    "freed",
    operation,
    "uses a tensor whose memory was given back",
    {
      "made by": block.within ? `${block.site}, in scope "${block.within}"` : block.site,
      "given back by": block.freed,
    },
    "Keep it with keep(t), or read it in time with await t.item() or await t.data().",
  );
