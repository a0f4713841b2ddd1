import { DescentError, isCapturing, isFloat, type Tensor } from "@descent/tensor";

/** Throws for an index outside [0, limit) other than `allowed`: at once where the backend can wait for its results. */
export function checkIndices(operation: string, indices: Tensor, limit: number, allowed: number | null = null): void {
  if (isFloat(indices.dtype) || indices.dtype === "bool") {
    const hint = 'Convert them with t.to("int64").';
    throw new DescentError("dtype", operation, "indices have an integer dtype", { dtype: indices.dtype }, hint);
  }
  if (!indices.backend.readSync || isCapturing()) return;
  const data = indices.dataSync();
  const at = data.findIndex((index) => (index < 0 || index >= limit) && index !== allowed);
  if (at < 0) return;
  const facts = { index: data[at], "at position": at };
  throw new DescentError(
    "argument",
    operation,
    "an index is out of range",
    facts,
    `Indices run from 0 to ${limit - 1}.`,
  );
}
