import { expect, test } from "vitest";
import { cpu } from "./cpu.ts";
import { Memory, sizeClass } from "./memory.ts";

test("a size class wastes at most a quarter, and classes grow with lengths", () => {
  let last = 0;
  for (let length = 1; length < 100_000; length = Math.ceil(length * 1.01 + 1)) {
    const size = sizeClass(length);
    expect(size).toBeGreaterThanOrEqual(length);
    if (length > 16) expect(size).toBeLessThanOrEqual(length * 1.25);
    expect(size).toBeGreaterThanOrEqual(last);
    expect(sizeClass(size)).toBe(size);
    last = size;
  }
  expect([0, 1, 5, 16, 17, 1000, 2 ** 31 - 1].map(sizeClass)).toEqual([4, 4, 8, 16, 20, 1024, 2 ** 31]);
});

test("freed arrays serve again, for any dtype that is held alike and any length of their class", () => {
  const memory = new Memory(1e6);
  const { data } = memory.alloc("float16", 1000);
  memory.free(Object.assign(memory.alloc("float32", 1000)));
  const first = memory.alloc("float16", 1000);
  const own = first.data;
  memory.free(first);
  expect(memory.alloc("float32", 1001).data).not.toBe(own);
  expect(memory.alloc("bfloat16", 1010).data).toBe(own);
  expect(own).not.toBe(data);
});

test("a training loop makes no new arrays once it has run", () => {
  const memory = new Memory(1e8);
  const arrays = new Set<unknown>();
  for (let step = 0; step < 100; step++) {
    const buffers = [10, 1000, 100_000, 1000].map((length) => memory.alloc("float32", length));
    for (const { data } of buffers) arrays.add(data);
    for (const buffer of buffers) memory.free(buffer);
  }
  expect(arrays.size).toBe(4);
});

test("the pool is bounded", () => {
  const memory = new Memory(10_000);
  for (const length of [100, 1000, 2000, 5, 2400, 100_000]) {
    memory.free(memory.alloc("float32", length));
    expect(memory.pooled).toBeLessThanOrEqual(10_000);
  }
  for (let i = 0; i < 1000; i++) memory.free(memory.alloc("bool", 1));
  expect(memory.pooled).toBeLessThanOrEqual(10_000);
});

test("memory that cannot be had is an error that says how much", () => {
  expect(() => cpu().alloc("float64", 2 ** 31)).toThrowErrorMatchingInlineSnapshot(`
    [DescentError: alloc: more elements than this backend can hold in one buffer
      backend       cpu
      dtype         float64
      length        2147483648
      bytes         17179869184
      most elements 2147483647
    Split the tensor.]
  `);
  // Beyond what the engine itself can make.
  expect(() => new Memory(0).alloc("float64", 2 ** 52)).toThrowErrorMatchingInlineSnapshot(`
    [DescentError: alloc: the engine has no memory of this size
      dtype  float64
      length 4503599627370496
      bytes  36028797018963970
    Free tensors, use smaller batches, or a smaller dtype.]
  `);
});

test("a small pool is an option", () => {
  const backend = cpu({ poolBytes: 0 });
  const buffer = backend.alloc("float32", 4);
  backend.free(buffer);
  expect(backend.alloc("float32", 4)).not.toBe(buffer);
});
