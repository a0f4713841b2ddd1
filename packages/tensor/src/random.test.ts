import { philox, reference } from "@descent/backend";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, describe, expect, test } from "vitest";
import * as ops from "./index.ts";
import {
  type DType,
  Generator,
  getRngState,
  manualSeed,
  rand,
  randn,
  setRngState,
  type Tensor,
  tensor,
  use,
} from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const numbers = async (x: Tensor) => Array.from(await x.data());
const moments = async (x: Tensor) => {
  const data = await numbers(x);
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  return { mean, variance: data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length, data };
};

test("rand is Philox of the seed and the element's number, in steps of 2⁻²⁴", async () => {
  manualSeed(2 ** 32 + 7);
  await numbers(rand([2])); // the first draw
  const expected = [0, 1, 2].map((i) => (philox([i, 0, 1, 0], [7, 1])[0] >>> 8) * 2 ** -24);
  expect(await numbers(rand([3]))).toEqual(expected);
});

describe("the same on every backend", () => {
  const bits: Readonly<Record<string, (options: object) => Tensor>> = {
    rand: (options) => rand([5, 7], options),
    "rand float64": (options) => rand([11], { dtype: "float64", ...options }),
    "rand float16": (options) => rand([11], { dtype: "float16", ...options }),
    randint: (options) => ops.randint(-3, 1000, [40], options),
    "randint float32": (options) => ops.randint(10, [40], { dtype: "float32", ...options }),
    randperm: (options) => ops.randperm(20, options),
  };
  test.each(Object.entries(bits))("%s, bit by bit", async (_, draw) => {
    manualSeed(5);
    const here = await numbers(draw({}));
    manualSeed(5);
    expect(await numbers(draw({ backend: reference() }))).toEqual(here);
  });

  test("randn, up to the rounding of log and cos", async () => {
    manualSeed(5);
    const here = await numbers(randn([100]));
    manualSeed(5);
    const there = await numbers(randn([100], { backend: reference() }));
    here.forEach((x, i) => void expect(x).toBeCloseTo(there[i] as number, 5)); // some ULP of log and cos each
  });
});

test("states: seeding, saving and going on, generators of one's own", async () => {
  manualSeed(1);
  const a = await numbers(rand([3]));
  const state = getRngState();
  const b = await numbers(rand([3]));
  expect(b).not.toEqual(a);
  setRngState(JSON.parse(JSON.stringify(state)));
  expect(await numbers(rand([3]))).toEqual(b);
  manualSeed(1);
  expect(await numbers(rand([3]))).toEqual(a);
  const before = getRngState();
  expect(await numbers(rand([3], { generator: new Generator(1) }))).toEqual(a);
  expect(getRngState()).toEqual(before);
});

test("a draw does not depend on the size of earlier ones", async () => {
  manualSeed(3);
  rand([1000]);
  const a = await numbers(rand([4]));
  manualSeed(3);
  rand([1]);
  expect(await numbers(rand([4]))).toEqual(a);
});

// Tolerances: five standard errors of the mean and of the variance of 20,000 draws; the seed is fixed.
const n = 20_000;
const distributions: readonly (readonly [string, () => Tensor, mean: number, variance: number, fourth: number])[] = [
  ["rand", () => rand([n]), 0.5, 1 / 12, 1 / 80],
  ["randn", () => randn([n]), 0, 1, 3],
  ["randn float64", () => randn([n], { dtype: "float64" }), 0, 1, 3],
  ["normal", () => ops.normal(2, 3, [n]), 2, 9, 243],
  ["uniform_", () => ops.empty([n]).uniform_(-1, 3), 1, 16 / 12, 256 / 80],
  ["randint", () => ops.randint(10, [n]), 4.5, 8.25, 120.8625],
  ["bernoulli_", () => ops.empty([n]).bernoulli_(0.3), 0.3, 0.21, 0.0777],
];
test.each(distributions)("%s has its mean and variance", async (_, draw, mean, variance, fourth) => {
  manualSeed(11);
  const found = await moments(draw());
  expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / n));
  expect(Math.abs(found.variance - variance)).toBeLessThan(5 * Math.sqrt((fourth - variance ** 2) / n));
});

test("bounds", async () => {
  manualSeed(0);
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    const data = await numbers(rand([n], { dtype }));
    expect([Math.min(...data) >= 0, Math.max(...data) < 1]).toEqual([true, true]);
  }
  const whole = await numbers(ops.randint(-2, 3, [n]));
  expect([...new Set(whole)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
});

test("randperm has every integer once", async () => {
  expect((await numbers(ops.randperm(100))).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(ops.randperm(0).shape).toEqual([0]);
});

test("bernoulli and normal with tensors", async () => {
  manualSeed(2);
  const p = tensor([0, 1, 0, 1]);
  expect(await numbers(ops.bernoulli(p))).toEqual([0, 1, 0, 1]);
  const far = await numbers(ops.normal(tensor([[0], [1000]]), tensor([1, 2, 3])));
  expect(far.map((x) => x > 500)).toEqual([false, false, false, true, true, true]);
});

test("…Like: shape and dtype of another tensor", () => {
  const x = tensor([[1, 2]], { dtype: "float64" });
  const whole: [DType, readonly number[]] = ["float64", [1, 2]];
  for (const y of [ops.randLike(x), ops.randnLike(x), ops.randintLike(x, 0, 4), ops.bernoulli(x.mul(0))])
    expect([y.dtype, y.shape]).toEqual(whole);
  expect(ops.randLike(x, { dtype: "float32" }).dtype).toBe("float32");
});

test("views are filled as they lie", async () => {
  const x = ops.zeros([3, 2]);
  manualSeed(4);
  x.t().select(0, 1).uniform_(1, 2);
  const data = await numbers(x);
  expect(data.map((v) => v >= 1)).toEqual([false, true, false, true, false, true]);
});
