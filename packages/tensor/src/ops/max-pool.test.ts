import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import { tensor } from "../create.ts";
import { use } from "../runtime.ts";
import { maxPool1d } from "./max-pool.ts";

beforeAll(async () => {
  await use(await backendUnderTest());
});

const [nan, low] = [Number.NaN, Number.NEGATIVE_INFINITY];

// Values and places as torch 2.13 gives them. Windows of two places are read place by place, padded ones and those of ten in a loop.
test.each([
  ["the first of equals", [3, 3, 1, 3], 2, {}, [3, 3], [0, 3]],
  ["the last NaN", [nan, nan, 1, nan], 2, {}, [nan, nan], [1, 3]],
  ["nothing but -inf", [low, low, low, low], 2, {}, [low, low], [0, 2]],
  ["padding", [low, low, low, low], 2, { padding: 1 }, [low, low, low], [0, 1, 3]],
  ["padding beside NaN", [nan, nan, 1, nan], 3, { stride: 2, padding: 1 }, [nan, nan], [1, 3]],
  ["a window that hangs over the end", [1, 2, 3], 2, { ceilMode: true }, [2, 3], [1, 2]],
  ["dilation", [1, 5, 2, 4], 2, { stride: 1, dilation: 2 }, [2, 5], [2, 1]],
  ["many places", [1, 2, 3, 9, 9, 4, 5, 6, 7, 8], 10, {}, [9], [3]],
] as const)("maxPool1d: %s", async (_, x, kernel, options, values, places) => {
  const [top, at] = maxPool1d(tensor([[x]]), kernel, { ...options, returnIndices: true });
  expect(await top.tolist()).toEqual([[values]]);
  expect(await at.tolist()).toEqual([[places]]);
});
