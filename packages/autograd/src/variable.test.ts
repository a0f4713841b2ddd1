import { add, exp, mul, sum, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import { customFunction, grad, gradcheck, gradgradcheck, noGrad, valueAndGrad, variable } from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
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

test("custom functions, checked in first and second order", async () => {
  const cube = customFunction({
    name: "cube",
    forward(context, x: Tensor) {
      context.saveForBackward(x);
      return x.mul(x).mul(x);
    },
    backward: (context, g) => {
      const x = context.savedTensors[0]!;
      return g && g.mul(x).mul(x).mul(3);
    },
  });
  const x = tensor([0.5, -1, 2], { dtype: "float64" });
  await gradcheck(cube, [x]);
  await gradgradcheck(cube, [x]);
  const wrong = customFunction({
    name: "wrong",
    forward: (_context, v: Tensor) => v.mul(2),
    backward: (_context, g) => g,
  });
  await expect(gradcheck(wrong, [x])).rejects.toThrow("differs");
});

test("row operations are differentiable twice", async () => {
  const x = tensor(
    [
      [0.5, -1, 2],
      [1, 3, -2],
    ],
    { dtype: "float64" },
  );
  const f = (v: Tensor) => v.mul(v).mean(0).mul(v).sum(1);
  await gradcheck(f, [x]);
  await gradgradcheck(f, [x]);
});

test("hooks, retained gradients, noGrad and valueAndGrad", async () => {
  const x = variable([1, 2]);
  const y = x.mul(3);
  y.retainGrad();
  x.registerHook((g) => g.mul(10));
  y.mul(y).sum().backward();
  expect(await y.grad?.tolist()).toEqual([6, 12]);
  expect(await x.grad?.tolist()).toEqual([180, 360]);
  expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
  const [value, [dx]] = valueAndGrad((v: Tensor) => v.mul(v).sum())(tensor([1, 2, 3]));
  expect(await value.item()).toBe(14);
  expect(await dx?.tolist()).toEqual([2, 4, 6]);
});
