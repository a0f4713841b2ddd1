import { backendUnderTest } from "backend-under-test";
import { expect, test } from "vitest";
import { add, mul, sum, tensor, use } from "./index.ts";

test("adds, broadcasts and sums", async () => {
  await use(backendUnderTest());
  const a = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(await add(a, tensor([10, 20, 30])).tolist()).toEqual([
    [11, 22, 33],
    [14, 25, 36],
  ]);
  expect(await mul(a, 2).tolist()).toEqual([
    [2, 4, 6],
    [8, 10, 12],
  ]);
  expect(await sum(a).item()).toBe(21);
  expect(await sum(a, 0).tolist()).toEqual([5, 7, 9]);
  expect(await sum(a, 1, { keepDim: true }).tolist()).toEqual([[6], [15]]);
  expect(await a.mean(-1).tolist()).toEqual([2, 5]);
});
