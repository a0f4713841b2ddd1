import type { Buffer, DType } from "@descent/backend";
import type { Memory } from "../memory.ts";
import type { Storage } from "../storage.ts";
import type { Temporary } from "./recording.ts";

interface Slot {
  readonly dtype: DType;
  length: number;
  /** The launch after which it is free. */
  until: number;
  storage: Storage | null;
}

/** Buffers that temporaries share, and which one each has. */
export interface MemoryPlan {
  readonly storages: readonly Storage[];
  readonly bufferOf: (temporary: Temporary) => Buffer;
  /** What the temporaries would take one by one, in elements, and what they take. */
  readonly before: number;
  readonly after: number;
}

/** Lets temporaries that are never needed at the same time share memory: first come, the free buffer that fits best. */
export function planMemory(memory: Memory, temporaries: readonly Temporary[]): MemoryPlan {
  const slots: Slot[] = [];
  const chosen = new Map<Temporary, Slot>();
  const ordered = temporaries.filter(({ first }) => first >= 0).sort((a, b) => a.first - b.first);
  let before = 0;
  for (const temporary of ordered) {
    const { dtype, length } = temporary.storage.block.buffer;
    before += length;
    const free = slots.filter((slot) => slot.dtype === dtype && slot.until < temporary.first);
    // The smallest that is large enough; else the largest, which grows.
    const fitting = free.filter((slot) => slot.length >= length).sort((a, b) => a.length - b.length)[0];
    const largest = free.sort((a, b) => b.length - a.length)[0];
    const slot = fitting ?? largest ?? { dtype, length, until: -1, storage: null };
    if (!fitting && !largest) slots.push(slot);
    slot.length = Math.max(slot.length, length);
    slot.until = temporary.last;
    chosen.set(temporary, slot);
  }
  const storages = slots.map((slot) => {
    slot.storage = memory.alloc(slot.dtype, slot.length, "capture");
    memory.hold(slot.storage.block);
    return slot.storage;
  });
  return {
    storages,
    bufferOf: (temporary) => (chosen.get(temporary) as Slot).storage?.block.buffer as Buffer,
    before,
    after: slots.reduce((sum, { length }) => sum + length, 0),
  };
}
