import * as ops from "@descent/tensor";
import { type DType, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import {
  baseOf,
  decode,
  expectClose,
  isRawTensor,
  loadFixtures,
  type OpCase,
  type RawInput,
  type RawTensor,
} from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { grad, variable } from "./index.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

/** The recorded tensor, laid out as it was recorded. */
function laidOut(raw: RawTensor): Tensor {
  const base = baseOf(raw);
  const x = ops.reshape(tensor([...base.data], { dtype: base.dtype as DType }), base.shape);
  const { layout } = raw;
  if (!layout) return x;
  const { shape } = raw;
  const strides =
    "permute" in layout
      ? layout.permute.map((axis) => x.strides[axis]!)
      : "expand" in layout
        ? x.strides.map((stride, axis) => (layout.expand.includes(axis) ? 0 : stride))
        : x.strides.map((stride, axis) => (axis === layout.slice.dim ? stride * layout.slice.step : stride));
  const offset = "slice" in layout ? layout.slice.start * x.strides[layout.slice.dim]! : 0;
  return x.make(x.storage, shape, strides, offset);
}

const tolerances: Record<string, { rtol: number; atol: number }> = {
  float64: { rtol: 1e-12, atol: 1e-13 },
  float32: { rtol: 2e-6, atol: 2e-6 },
  float16: { rtol: 2e-3, atol: 1e-3 },
  bfloat16: { rtol: 1e-2, atol: 1e-2 },
};

function check(label: string, actual: Tensor, expected: RawTensor): void {
  expect([label, actual.dtype, [...actual.shape]]).toEqual([label, expected.dtype, expected.shape]);
  expectClose(actual.dataSync(), decode(expected).data, { ...(tolerances[expected.dtype] ?? {}), label });
}

type Run = (inputs: Tensor[], options: Record<string, unknown>) => Tensor | readonly Tensor[];
const table = ops as unknown as Record<string, (...x: unknown[]) => Tensor | readonly Tensor[]>;
const special: Record<string, Run> = {
  einsum: (inputs, { equation }) => ops.einsum(equation as string, ...inputs),
  adaptiveAvgPool2d: ([x], { outputSize }) => table.adaptiveAvgPool2d!(x, outputSize),
};
for (const name of ["maxPool1d", "maxPool2d", "avgPool1d", "avgPool2d"])
  special[name] = ([x], { kernelSize, rank: _, ...rest }: Record<string, unknown>) =>
    table[name]!(x, kernelSize, name.startsWith("max") ? { ...rest, returnIndices: true } : rest);

const call = ({ op, options = {} }: OpCase, inputs: (Tensor | null)[]) => {
  const run = special[op];
  if (run) return run(inputs as Tensor[], options);
  return table[op]!(...inputs, ...(Object.keys(options).length > 0 ? [options] : []));
};

function runCase(c: OpCase): void {
  const flat = c.inputs.flat() as (RawTensor | null)[];
  const differentiable = c.grads !== undefined;
  const make = (raw: RawTensor) => (differentiable ? variable(laidOut(raw)) : laidOut(raw));
  const inputs = flat.map((raw) => (isRawTensor(raw) ? make(raw) : null));
  if (c.error) {
    expect(() => call(c, inputs)).toThrowError(expect.objectContaining({ name: "DescentError" }));
    return;
  }
  const found = call(c, inputs);
  const results = Array.isArray(found) ? (found as Tensor[]) : [found as Tensor];
  c.outputs!.forEach((expected, i) => {
    check("result", results[i]!, expected);
  });
  if (!differentiable) return;
  const seeds = c.gradOutputs!.flatMap((g, i) => (g ? [[results[i]!, laidOut(g)] as const] : []));
  const wanted = inputs.filter((x) => x !== null);
  const grads = grad(
    seeds.map(([y]) => y),
    wanted,
    { gradOutputs: seeds.map(([, g]) => g), allowUnused: true },
  );
  const expected = (c.grads!.flat() as RawInput[]).filter((_, i) => inputs[i] !== null);
  grads.forEach((g, i) => {
    const raw = expected[i];
    if (!isRawTensor(raw)) return;
    if (g) check(`gradient ${i}`, g, raw);
    else expect(decode(raw).data.every((x) => x === 0)).toBe(true);
  });
}

const show = ({ op, inputs, options }: OpCase): string =>
  `${op} ${(inputs.flat() as RawInput[]).map((x) => (isRawTensor(x) ? `${x.dtype}[${x.shape}]${x.layout ? JSON.stringify(x.layout) : ""}` : String(x))).join(" ")} ${options ? JSON.stringify(options) : ""}`;

describe.each(["matmul", "matmul-larger", "einsum", "convolution", "pooling"])("%s", (name) => {
  test.each(loadFixtures(name).map((c, i) => [`${i} ${show(c)}`, c] as const))("%s", (_, c) => runCase(c));
});
