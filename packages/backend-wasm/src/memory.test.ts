import { describe, expect, test } from "vitest";
import { Memory } from "./memory.ts";

const page = 65536;

describe("the allocator", () => {
  test("hands out blocks that are aligned, inside memory, and never overlap", () => {
    const memory = new Memory({ initial: 2, maximum: 64 }, false);
    const live = new Map<number, number>();
    let seed = 1;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % n;
    };
    for (let step = 0; step < 4000; step++) {
      if (live.size > 40 || (live.size > 0 && random(3) === 0)) {
        const address = [...live.keys()][random(live.size)]!;
        live.delete(address);
        memory.free(address);
      } else {
        const bytes = random(3) === 0 ? random(60000) : random(300);
        const address = memory.alloc(bytes, "test");
        expect(address % 64).toBe(0);
        expect(address).toBeGreaterThan(0);
        expect(address + bytes).toBeLessThanOrEqual(memory.bytes);
        for (const [other, size] of live) expect(address + bytes <= other || other + size <= address).toBe(true);
        live.set(address, bytes);
      }
    }
    for (const address of live.keys()) memory.free(address);
    expect(memory.live).toBe(0);
    // Everything has merged again: one block as large as all memory but the first 64 bytes fits without growing.
    const before = memory.bytes;
    memory.alloc(before - 64, "test");
    expect(memory.bytes).toBe(before);
  });

  test("reuses a freed block of the same size, and counts what is live", () => {
    const memory = new Memory({ initial: 1, maximum: 1 }, false);
    const first = memory.alloc(1000, "test");
    expect(memory.live).toBe(1024);
    memory.free(first);
    expect(memory.live).toBe(0);
    expect(memory.peak).toBe(1024);
    expect(memory.alloc(1000, "test")).toBe(first);
  });

  test.each([false, true])("grows, and its views follow (shared: %s)", (shared) => {
    const memory = new Memory({ initial: 1, maximum: 100 }, shared);
    const address = memory.alloc(50 * page, "test");
    memory.f32[(address + 49 * page) >> 2] = 2.5;
    expect(memory.u8.length).toBe(memory.bytes);
    expect(new Float32Array(memory.memory.buffer)[(address + 49 * page) >> 2]).toBe(2.5);
  });

  test("says what was asked, what is live and what the limit is", () => {
    const memory = new Memory({ initial: 1, maximum: 16 }, false);
    memory.alloc(page, "test");
    expect(() => memory.alloc(20 * page, "matmul")).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: matmul: out of memory
        asked 1.3 MiB
        live  0.1 MiB in 1 blocks
        limit 1.0 MiB
      Free tensors you no longer need, use smaller batches, or raise memory.maximum (at most 65536 pages, 4 GiB).]
    `);
  });
});
