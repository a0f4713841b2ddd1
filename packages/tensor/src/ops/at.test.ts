import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import { arange, type Tensor, tensor, use } from "../index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const whole = (data: number[] | number[][]) => tensor(data, { dtype: "int64" });
/** Element [i, j, k] is 12 i + 4 j + k. */
const make = () => arange(24).reshape([2, 3, 4]);

/** Beside each, what Python writes; results are NumPy's and PyTorch's. */
const table: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[], readonly number[]])[] = [
  ["x[1]", (x) => x.at(1).at(0), [4], [12, 13, 14, 15]],
  ["x[0, ..., -1]", (x) => x.at(0, "...", -1), [3], [3, 7, 11]],
  ["x[..., 0, 1:3]", (x) => x.at("...", 0, { start: 1, end: 3 }), [2, 2], [1, 2, 13, 14]],
  ["x[:, ::2, 0]", (x) => x.at({}, { step: 2 }, 0), [2, 2], [0, 8, 12, 20]],
  ["x[0, None, 2, :2]", (x) => x.at(0, null, 2, { end: 2 }), [1, 2], [8, 9]],
  ["x[:, [2, -3], 0]", (x) => x.at({}, whole([2, -3]), 0), [2, 2], [8, 0, 20, 12]],
  ["x[[0, 1], [1, 2]][:, 0]", (x) => x.at(whole([0, 1]), whole([1, 2])).at({}, 0), [2], [4, 20]],
  ["x[0][:, [[0], [1]]][0]", (x) => x.at(0, {}, whole([[0], [1]])).at(0), [2, 1], [0, 1]], // biome-ignore format: one case a line
  ["x[[0, 1], :, [3, 2]]", (x) => x.at(whole([0, 1]), {}, whole([3, 2])), [2, 3], [3, 7, 11, 14, 18, 22]],
];
test.each(table)("%s", async (_, f, shape, data) => {
  const y = f(make());
  expect([[...y.shape], Array.from(await y.data())]).toEqual([shape, data]);
});

test("a part can be assigned to", async () => {
  const x = make();
  x.at(0, 0).copy_(whole([9, 9, 9, 9]));
  x.at("...", 3).zero_();
  expect(Array.from(await x.at(0).data())).toEqual([9, 9, 9, 0, 4, 5, 6, 0, 8, 9, 10, 0]);
});
