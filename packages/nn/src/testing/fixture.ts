import { type Tensor, tensor } from "@descent/tensor";
import { under } from "backend-under-test";
import { decode, expectClose, type RawTensor } from "torch-fixtures";

/** A recorded tensor, on the backend in use. */
export function fromFixture(raw: RawTensor): Tensor {
  const { data, shape, dtype } = decode(raw);
  const typed = dtype === "int64" ? Int32Array.from(data) : data;
  return tensor(typed as Float32Array, { dtype }).reshape(shape);
}

/** Whether the backend under test computes in this dtype. */
export const holds = (dtype: string): boolean => under.float64 || dtype !== "float64";

/** How closely results follow PyTorch's, relative to the largest magnitude in the tensor and to each value. */
const tolerances: Readonly<Record<string, number>> = { float64: 1e-12, float32: 2e-6 };

/** Throws unless `actual` has the shape, dtype and values of the recorded tensor. */
export async function expectLike(actual: Tensor, raw: RawTensor, label: string, factor = 1): Promise<void> {
  const expected = decode(raw);
  if (actual.dtype !== raw.dtype || actual.shape.join() !== raw.shape.join())
    throw new Error(`${label}: got ${actual.dtype} [${actual.shape}], expected ${raw.dtype} [${raw.shape}]`);
  const tolerance = (tolerances[raw.dtype] ?? 0) * factor;
  const finite = Array.from(expected.data).filter(Number.isFinite);
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expectClose(await actual.data(), expected.data, { rtol: tolerance, atol: tolerance * Math.min(1, largest), label });
}
