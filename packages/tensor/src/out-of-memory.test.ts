import { type Backend, DescentError } from "@descent/backend";
import { backendUnderTest } from "backend-under-test";
import { expect, test } from "vitest";
import { ones, tensor, use, zeros } from "./index.ts";

const inner = await backendUnderTest();
/** The backend, with room for a million elements in all. */
let left = 1_000_000;
const small: Backend = {
  ...inner,
  alloc(dtype, length) {
    if (length > left) throw new DescentError("memory", "alloc", "no more", { asked: length, left }, "Use less.");
    left -= length;
    return inner.alloc(dtype, length);
  },
};
await use(small);

test("a lack of memory names who asked, how much, and who has the rest", () => {
  const kept = [ones([300_000]), ones([300_000]), zeros([200_000])];
  expect(() => kept[0]!.add(kept[1]!)).toThrowErrorMatchingInlineSnapshot(`
    [DescentError: add: out of memory
      asked   300000
      left    200000
      made by ones (2.3 MiB in 2), zeros (0.8 MiB in 1)
    Use less.]
  `);
  expect(kept[2]!.add(1).shape).toEqual([200_000]);
});

test("a tensor larger than all memory is refused like any other", () => {
  expect(() => zeros([2 ** 20, 2 ** 20])).toThrow(/^zeros: out of memory/);
});

test("a tensor does not go to another thread; its values do", async () => {
  const x = tensor([1, 2, 3], { backend: inner });
  expect(() => structuredClone(x)).toThrow(/could not be cloned/);
  expect(structuredClone(await x.data())).toEqual(new Float32Array([1, 2, 3]));
});
