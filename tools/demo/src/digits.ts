import { readIdx, TensorDataset } from "@descent/data";
import { type Tensor, tensor } from "@descent/tensor";

/** Mean and standard deviation of the training pixels, from 0 to 1: inputs are normalised with them. */
const mean = 0.1307;
const deviation = 0.3081;

/** Images of 28 × 28 grey levels, 0 to 255, as the networks take them: [n, 784] float32, normalised. */
export function pixelsOf(greys: Uint8Array): Tensor {
  const normalised = Float32Array.from({ length: 256 }, (_, grey) => (grey / 255 - mean) / deviation);
  const pixels = new Float32Array(greys.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = normalised[greys[i] as number] as number;
  return tensor(pixels).reshape([greys.length / 784, 784]);
}

/** Digits out of two IDX files: `x` as `pixelsOf` gives it, `y` [n] int64, 0 to 9. At most `count` of them. */
export function digits(
  images: Uint8Array,
  labels: Uint8Array,
  count: number = Number.POSITIVE_INFINITY,
): TensorDataset<"x" | "y"> {
  const { data, shape } = readIdx(images);
  const n = Math.min(count, shape[0] as number);
  const y = tensor(Int32Array.from(readIdx(labels).data.subarray(0, n)), { dtype: "int64" });
  return new TensorDataset({ x: pixelsOf((data as Uint8Array).subarray(0, n * 784)), y });
}
