import { type CreateOptions, empty, type Tensor, tensor } from "@descent/tensor";
export const ones = (shape: readonly number[], o: CreateOptions = {}) => fill(empty(shape, o), () => 1);
export const zeros = (shape: readonly number[], o: CreateOptions = {}) => fill(empty(shape, o), () => 0);
function fill(t: Tensor, f: () => number) {
  const v = tensor(Float32Array.from({ length: t.size }, f), { dtype: t.dtype });
  if (t.size) t.backend.write(t.storage.buffer("x"), t.backend.readSync!(v.storage.buffer("x"), 0, t.size));
  return t;
}
export const uniform = (t: Tensor, a: number, b: number) => fill(t, () => a + Math.random() * (b - a));
export type RandomKey = readonly [key0: number, key1: number, stream0: number, stream1: number];
let n = 0;
export const drawKey = (_size: number): RandomKey => [1, 2, n++, 0];
export const drawStream = () => Math.random;
