import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import {
  baseOf,
  decode,
  decodeNumber,
  expectClose,
  isRawTensor,
  loadFixtureFile,
  loadFixtures,
  type RawInput,
  type RawTensor,
  ulpDiff,
} from "./index.ts";

const OPS = /^(elementwise|reductions|matmul|einsum|convolution|pooling|shapes|indexing|creation|nn-losses)/;
const names = readdirSync(new URL("../fixtures/", import.meta.url))
  .filter((file) => file.endsWith(".json") && !file.startsWith("scheduler"))
  .map((file) => file.slice(0, -".json".length));

function tensors(value: RawInput | undefined): RawTensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return isRawTensor(value) ? [value] : [];
}

test.each(names)("%s has cases", (name) => {
  const file = loadFixtureFile<{ torch: string; cases: unknown[] }>(name);
  expect(file.torch).toMatch(/^2\.13\./);
  expect(file.cases.length).toBeGreaterThan(0);
});

test.each(names.filter((name) => OPS.test(name)))("%s: sizes and layouts agree", (name) => {
  for (const c of loadFixtures(name)) {
    expect("outputs" in c).not.toBe("error" in c);
    for (const raw of [...tensors(c.inputs), ...tensors(c.outputs), ...tensors(c.grads), ...tensors(c.gradOutputs)]) {
      const size = raw.shape.reduce((a, b) => a * b, 1);
      expect(decode(raw).data.length).toBe(size);
      if (raw.layout === undefined) expect(baseOf(raw).data).toEqual(decode(raw).data);
    }
  }
});

test("a base undoes its layout", () => {
  const t = { dtype: "float32", shape: [2, 3], data: [1, 2, 3, 4, 5, "-0"] } as const;
  expect(baseOf({ ...t, layout: { permute: [1, 0] } })).toMatchObject({
    shape: [3, 2],
    data: Float32Array.of(1, 4, 2, 5, 3, -0),
  });
  expect(baseOf({ ...t, layout: { slice: { dim: 0, start: 1, step: 2 } } })).toMatchObject({
    shape: [5, 3],
    data: Float32Array.of(77, 77, 77, 1, 2, 3, 77, 77, 77, 4, 5, -0, 77, 77, 77),
  });
  expect(baseOf({ dtype: "int32", shape: [2, 2], data: [7, 8, 7, 8], layout: { expand: [0] } })).toMatchObject({
    shape: [1, 2],
    data: Int32Array.of(7, 8),
  });
});

test("a base of three permuted axes", () => {
  const base = baseOf({ dtype: "float64", shape: [2, 1, 3], data: [1, 2, 3, 4, 5, 6], layout: { permute: [2, 0, 1] } });
  expect(base.shape).toEqual([1, 3, 2]);
  expect([...base.data]).toEqual([1, 4, 2, 5, 3, 6]);
});

test.each([
  [1, 1, "float64", 0],
  [1, 1 + 2 ** -52, "float64", 1],
  [1, 1 + 2 ** -23, "float32", 1],
  [0, -0, "float32", 0],
  [5e-324, -5e-324, "float64", 2],
  [1e-45, -1e-45, "float32", 2],
  [Number.NaN, Number.NaN, "float64", 0],
  [Number.NaN, 1, "float64", Number.POSITIVE_INFINITY],
  [Number.POSITIVE_INFINITY, Number.MAX_VALUE, "float64", Number.POSITIVE_INFINITY],
] as const)("ulpDiff(%d, %d, %s) = %d", (a, b, dtype, ulps) => {
  expect(ulpDiff(a, b, dtype)).toBe(ulps);
});

test("expectClose accepts either measure and says where it fails", () => {
  expectClose([1, Number.NaN, -0], [1 + 1e-9, Number.NaN, 0], { rtol: 1e-8 });
  expectClose(Float32Array.of(1), Float32Array.of(1 + 2 ** -23), { ulp: 1 });
  expect(() => expectClose([1, 2], [1, 2.5], { label: "sum" })).toThrow(
    /sum: 1 of 2 values differ[\s\S]*\[1\] got 2, expected 2\.5/,
  );
  expect(() => expectClose([-0], [0], { signOfZero: true })).toThrow(/got -0, expected 0/);
  expect(() => expectClose([1], [Number.POSITIVE_INFINITY], { rtol: 1 })).toThrow();
  expect(() => expectClose([1], [1, 2])).toThrow(/got 1 values where 2 are expected/);
});

test("stored numbers", () => {
  expect(["nan", "inf", "-inf", "-0", 1.5].map((v) => decodeNumber(v as "nan"))).toEqual([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    1.5,
  ]);
});
