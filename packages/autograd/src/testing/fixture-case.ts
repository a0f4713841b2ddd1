import { type DType, reshape, type Tensor, tensor } from "@descent/tensor";
import {
  baseOf,
  decode,
  expectClose,
  isRawTensor,
  type OpCase,
  type RawInput,
  type RawTensor,
  type Tolerance,
} from "torch-fixtures";
import { expect } from "vitest";
import { grad, variable } from "../index.ts";

/** The recorded tensor, laid out as it was recorded. */
export function laidOut(raw: RawTensor): Tensor {
  const base = baseOf(raw);
  const x = reshape(tensor([...base.data], { dtype: base.dtype as DType }), base.shape);
  const { layout } = raw;
  if (!layout) return x;
  if ("permute" in layout) return x.permute(layout.permute);
  if ("expand" in layout) return x.expand(raw.shape);
  const { dim, start, step } = layout.slice;
  return x.slice(dim, start, start + step * raw.shape[dim]!, step);
}

/** Allowed differences by the dtype of the result; the other dtypes agree exactly. */
const tolerances: Readonly<Record<string, Tolerance>> = {
  float64: { rtol: 1e-12, atol: 1e-13 },
  float32: { rtol: 2e-6, atol: 2e-6 },
  float16: { rtol: 2e-3, atol: 1e-3 },
  bfloat16: { rtol: 1e-2, atol: 1e-2 },
};

export function check(label: string, actual: Tensor, expected: RawTensor, more: Tolerance = {}): void {
  expect([label, actual.dtype, [...actual.shape]]).toEqual([label, expected.dtype, expected.shape]);
  expectClose(actual.dataSync(), decode(expected).data, { ...tolerances[expected.dtype], label, ...more });
}

/** An input as the operation takes it, and the differentiable tensors in it. */
function prepare(raw: RawInput, differentiable: boolean, leaves: [Tensor, RawInput][], expected: RawInput): unknown {
  if (isRawTensor(raw)) {
    if (!differentiable || !raw.dtype.startsWith("float")) return laidOut(raw);
    const leaf = variable(laidOut(raw));
    leaves.push([leaf, expected ?? null]);
    return leaf;
  }
  if (Array.isArray(raw))
    return raw.map((part, i) =>
      prepare(part as RawInput, differentiable, leaves, (expected as RawInput[])?.[i] ?? null),
    );
  return raw;
}

type Call = (c: OpCase, inputs: unknown[]) => readonly (Tensor | null)[];

/** Runs a recorded case: results (values, shapes, dtypes), the refusal, and gradients must be PyTorch's. `tolerance` is for results. */
export function runCase(c: OpCase, call: Call, tolerance: Tolerance = {}): void {
  const differentiable = c.grads !== undefined;
  const leaves: [Tensor, RawInput][] = [];
  const inputs = c.inputs.map((raw, i) => prepare(raw, differentiable, leaves, c.grads?.[i] ?? null));
  if (c.error) {
    expect(() => call(c, inputs)).toThrowError(expect.objectContaining({ name: "DescentError" }));
    return;
  }
  const results = call(c, inputs).filter((x) => x !== null);
  expect(results.length).toBe(c.outputs!.length);
  c.outputs!.forEach((expected, i) => {
    check(`result ${i}`, results[i]!, expected, tolerance);
  });
  if (!differentiable) return;
  const seeds = c.gradOutputs!.flatMap((g, i) => (g ? [[results[i]!, laidOut(g)] as const] : []));
  const found = grad(
    seeds.map(([y]) => y),
    leaves.map(([leaf]) => leaf),
    { gradOutputs: seeds.map(([, g]) => g), allowUnused: true },
  );
  leaves.forEach(([leaf, expected], i) => {
    if (!isRawTensor(expected)) return;
    check(`gradient ${i}`, found[i] ?? leaf.mul(0).detach(), expected);
  });
}

const shown = (raw: RawInput): string => {
  if (Array.isArray(raw)) return `(${raw.map((part) => shown(part as RawInput)).join(" ")})`;
  if (!isRawTensor(raw)) return String(raw);
  return `${raw.dtype}[${raw.shape}]${raw.layout ? JSON.stringify(raw.layout) : ""}`;
};

/** A case's name in a test report. */
export const title = ({ op, inputs, options }: OpCase): string =>
  `${op} ${inputs.map(shown).join(" ")} ${options ? JSON.stringify(options) : ""}`;
