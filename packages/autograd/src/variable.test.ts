import { add, exp, mul, sum, type Tensor, tensor, use } from "@descent/tensor";
import { beforeAll, expect, test } from "vitest";
import { reference } from "../../backend/src/index.ts";
import { grad, variable } from "./index.ts";

beforeAll(async () => {
  await use(reference());
});

test("gradients of element-wise operations, with broadcasting", async () => {
  const w = variable([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const b = variable([1, 2, 3]);
  const s = variable(2);
  sum(mul(add(mul(w, w), b), s)).backward();
  expect(await w.grad?.tolist()).toEqual([
    [4, 8, 12],
    [16, 20, 24],
  ]);
  expect(await b.grad?.tolist()).toEqual([4, 4, 4]);
  expect(await s.grad?.item()).toBe(1 + 4 + 9 + 16 + 25 + 36 + 2 * 6);
});

test("derivatives of derivatives", async () => {
  const x = variable([0, 1, 2]);
  const y = sum(exp(mul(x, x)));
  const [g] = grad(y, x, { createGraph: true });
  const [h] = grad(sum(g!), x);
  const e = (v: number) => (2 + 4 * v * v) * Math.exp(v * v);
  expect(((await (h as Tensor).tolist()) as number[]).map((v) => v.toFixed(3))).toEqual(
    [e(0), e(1), e(2)].map((v) => v.toFixed(3)),
  );
});

test("means", async () => {
  const x = variable([
    [1, 2],
    [3, 4],
  ]);
  x.mean(0)
    .mul(tensor([1, 2]))
    .sum()
    .backward();
  expect(await x.grad?.tolist()).toEqual([
    [0.5, 1],
    [0.5, 1],
  ]);
});
