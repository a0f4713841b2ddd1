import { currentRuntime, fuse, type Tensor, tensor, use, type Value } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { expect, test } from "vitest";
import { gradcheck, gradgradcheck, variable } from "./index.ts";

await use(backendUnderTest());

const numbers = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return variable(tensor(Float64Array.from({ length: size }, (_, i) => Math.sin(i + 1))).reshape(shape));
};

const table: readonly (readonly [string, (...x: readonly never[]) => Tensor | Tensor[], () => Tensor[]])[] = [
  ["one result", fuse((x: Value, y: Value) => x.mul(y).exp()), () => [numbers(2, 3), numbers(3)]],
  ["two results", fuse((x: Value, y: Value) => [x.mul(y), x.sub(y).square()]), () => [numbers(3), numbers(2, 1)]],
  [
    "rows",
    fuse((x: Value) => x.sub(x.amax()).exp().div(x.sub(x.amax()).exp().sum()), { dims: -1 }),
    () => [numbers(2, 3)],
  ],
  [
    "rows with a result for each",
    fuse((x: Value) => [x.square().sum(), x.neg()], { dims: [0] }),
    () => [numbers(3, 2)],
  ],
];
test.each(table)("%s: derivatives of the first and second order", async (_, f, made) => {
  const inputs = made();
  const loose = f as unknown as (...x: readonly Tensor[]) => Tensor | Tensor[];
  await gradcheck(loose, inputs);
  await gradgradcheck(loose, inputs);
});

test("the backward pass is one launch", () => {
  const f = fuse((x: Value, y: Value) => [x.mul(y).tanh(), x.div(y.exp())]);
  const [x, y] = [variable([1, 2, 3]), variable([4, 5, 6])];
  const [a, b] = f(x, y);
  const z = a.add(b);
  const seed = z.onesLike();
  const runtime = currentRuntime("test");
  const labels: string[] = [];
  runtime.listener = ({ label }) => void labels.push(label ?? "?");
  z.backward(seed);
  runtime.listener = null;
  expect(labels).toHaveLength(1);
});
