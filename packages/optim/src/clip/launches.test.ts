import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, under } from "backend-under-test";
import { afterEach, expect, test, vi } from "vitest";
import { clipGradAdaptive_, clipGradNorm_, clipGradValue_ } from "../index.ts";

const backend = await use(backendUnderTest());
const { runtime } = tensor(0);
afterEach(() => {
  runtime.listener = null;
});

/** A small transformer: four layers of the same six shapes, and two tables. */
const shapes = [
  ...Array.from({ length: 4 }, () => [[8, 24], [24], [8, 8], [8], [8, 32], [32]]).flat(),
  ...[
    [50, 8],
    [16, 8],
  ],
];
const params = (): Tensor[] =>
  shapes.map((shape) => {
    const p = tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5)).reshape(shape);
    p.grad = p.mul(2);
    return p;
  });

/** Launches, reads and compilations of a call that has run before. */
function cost(call: (params: Tensor[]) => void): { launches: number; reads: number; compiles: number } {
  call(params());
  const all = params();
  let launches = 0;
  runtime.listener = () => void launches++;
  const compile = vi.spyOn(backend, "compile");
  const reads = (["read", ...(under.sync ? ["readSync"] : [])] as ["read"]).map((name) => vi.spyOn(backend, name));
  call(all);
  const [compiles, ...read] = [compile, ...reads].map((spy) => spy.mock.calls.length) as [number, ...number[]];
  for (const spy of [compile, ...reads]) spy.mockRestore();
  return { launches, reads: read.reduce((a, b) => a + b), compiles };
}

test("the norm of 26 gradients of 8 sizes: 8 launches to measure, 1 to join, 8 to scale; nothing read or compiled", () => {
  expect(cost((all) => clipGradNorm_(all, 1))).toEqual({ launches: 17, reads: 0, compiles: 0 });
});

test("another limit or another order compiles nothing", () => {
  clipGradNorm_(params(), 1, { normType: 3 });
  expect(cost((all) => clipGradNorm_(all, Math.random(), { normType: 3 + Math.random() })).compiles).toBe(0);
});

test("values: one launch for up to six of a size", () => {
  expect(cost((all) => clipGradValue_(all, 0.1))).toEqual({ launches: 8, reads: 0, compiles: 0 });
});

test("adaptively: one launch a parameter", () => {
  expect(cost((all) => clipGradAdaptive_(all))).toEqual({ launches: 26, reads: 0, compiles: 0 });
});
