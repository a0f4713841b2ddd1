import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import { fuse, isDescentError, type Mask, runtimeOf, tensor, use, type Value } from "../index.ts";

let launched: string[] = [];
beforeAll(async () => {
  const runtime = runtimeOf(await use(backendUnderTest()));
  runtime.listener = ({ label }) => void launched.push(label ?? "?");
});
const launches = <T>(f: () => T): [T, string[]] => {
  launched = [];
  const result = f();
  return [result, launched];
};

test("one launch, many results; operands broadcast, numbers are not compiled in", async () => {
  const both = fuse((x: Value, y: Value, c: Value) => [x.add(y).mul(c), x.lt(y)], { name: "both" });
  const [x, y] = [tensor([[1], [5]]), tensor([2, 3])]; // biome-ignore format: a column
  const [[scaled, less], labels] = launches(() => both(x, y, 10));
  expect(labels).toEqual(["both"]);
  expect(await scaled.tolist()).toEqual([[30, 40], [70, 80]]); // biome-ignore format: rows
  expect(await less.tolist()).toEqual([[true, true], [false, false]]); // biome-ignore format: rows
  const again = both(x, y, 0.5)[0];
  expect(await again.tolist()).toEqual([[1.5, 2], [3.5, 4]]); // biome-ignore format: rows
});

test("bool tensors are masks; dtypes promote", async () => {
  const pick = fuse((m: Mask, a: Value, b: Value) => m.select(a, b));
  const m = tensor([true, false]);
  const y = pick(m, tensor([1, 2], { dtype: "int64" }), tensor([3, 4], { dtype: "int32" }));
  expect([y.dtype, await y.tolist()]).toEqual(["int64", [1, 4]]);
  expect(pick(m, 1.5, tensor([1, 2], { dtype: "int64" })).dtype).toBe("float32");
  expect(pick(m, tensor([1, 2], { dtype: "float64" }), 0).dtype).toBe("float64");
  const both = fuse((a: Mask, b: Mask) => a.and(b));
  expect(await both(m, tensor([true, true])).tolist()).toEqual([true, false]);
});

test("with rows, values fold; what is common to a row has extent 1", async () => {
  const share = fuse((x: Value) => [x.div(x.sum()), x.amax()], { dims: 1 });
  const [[part, most], labels] = launches(() => share(tensor([[1, 3], [2, 6]]))); // biome-ignore format: rows
  expect(labels).toHaveLength(1);
  expect(await part.tolist()).toEqual([[0.25, 0.75], [0.25, 0.75]]); // biome-ignore format: rows
  expect(await most.tolist()).toEqual([[3], [6]]); // biome-ignore format: rows
});

test("the function runs once for a structure, not once for a call", () => {
  let runs = 0;
  const f = fuse((x: Value) => {
    runs++;
    return x.exp();
  });
  f(tensor([1, 2]));
  const first = runs;
  f(tensor([3, 4]));
  expect(runs).toBe(first);
});

const errors: readonly (readonly [() => unknown, string])[] = [
  [
    () => fuse(1 as never),
    "fuse: takes a function of values\n  got number\nFor example fuse((x, y) => x.mul(y).exp()).",
  ],
  [() => fuse((x: Value) => x, { dim: 1 } as never), 'fuse: unknown option\n  option dim\nDid you mean "dims"?'],
  [
    () => fuse(((x: Value) => ({ x })) as never, { name: "pair" })(tensor([1]) as never),
    "pair: the fused function returned something else\n  got object\nReturn a value, or an array of values.",
  ],
  [
    () => fuse((x: Value) => x, { name: "f" })("1" as never),
    "f: takes tensors and numbers\n  got string\nWrap it: tensor(…).",
  ],
  [() => fuse((x: Value) => x, { name: "f" })(1), "f: takes at least one tensor\nMake one with tensor(…)."],
];
test.each(errors)("says what is wrong: %#", (f, message) => {
  let found: unknown;
  try {
    f();
  } catch (error) {
    found = error;
  }
  expect(isDescentError(found) ? found.message : found).toBe(message);
});
