import { type Tensor, tensor } from "@descent/tensor";
import type { Checked } from "../gradcheck.ts";

/** A case: the operation (the first word of the name), a function that uses it, and float64 inputs, or others that it is not differentiated by. */
export type Case = readonly [name: string, fn: Checked, inputs: readonly Tensor[]];

/** Distinct numbers between −1 and 1, none of them 0 and no two of the same size. */
export function ramp(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 50 - 0.995);
  return tensor(data, { dtype: "float64" }).reshape(shape);
}
export const index = (...at: number[]): Tensor => tensor(at, { dtype: "int64" });
export const square = (): Tensor => tensor([[1, 0, 1], [2, 2, 0]], { dtype: "int64" }); // biome-ignore format: a matrix
export const holed = (): Tensor => tensor([[0.5, 0, -1.5], [0, 2, 0]], { dtype: "float64" }); // biome-ignore format: a matrix
export const mask = (): Tensor => tensor([[true, false, true], [false, false, true]]); // biome-ignore format: a matrix
export const half = (): Tensor => tensor([0.3, 0.7, 0.1, 0.9], { dtype: "float64" });

/** Small numbers between −1 and 1 in steps of `step`: several of them, with other steps, have nothing in common. */
export function wave(shape: readonly number[], step: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, i) => ((i * step) % 101) / 50 - 1);
  return tensor(data, { dtype: "float64" }).reshape(shape);
}
