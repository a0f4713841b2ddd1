import { DescentError, type DType, isFloat, type Mask, philoxValues, type Trace, type Value } from "@descent/backend";
import { defaultGenerator, type Generator } from "../generator.ts";
import { checkOptions } from "../options.ts";
import { defaultDType } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import type { Traced } from "../traced.ts";
import type { Operand } from "./define.ts";
import { inPlace } from "./in-place.ts";

/** Four random words for the element at hand, inside a program; `key` are the numbers of a `RandomKey`. */
export function randomWords(trace: Trace, [key0, key1, stream0, stream1]: readonly Value[]): Words {
  const counter = [trace.index(-1).cast("u32"), trace.constant(0, "u32"), stream0, stream1] as Words;
  return philoxValues(trace, counter, [key0 as Value, key1 as Value]);
}
type Words = [Value, Value, Value, Value];

/** Fraction bits of the dtypes that have fewer than float32: more would round up to 1. */
const digits: Partial<Record<DType, number>> = { float16: 11, bfloat16: 8 };

/** Uniform in [0, 1), from one word, or two for float64: every multiple of 2⁻²⁴ (2⁻⁵³) is equally likely. */
export function uniformFrom([high, low]: readonly Value[], dtype: DType): Value {
  const [a, b] = [high as Value, low as Value];
  if (dtype === "float64")
    return a
      .shr(5)
      .cast("f64")
      .mul(2 ** 26)
      .add(b.shr(6).cast("f64"))
      .mul(2 ** -53);
  const kept = digits[dtype] ?? 24;
  return a
    .shr(32 - kept)
    .cast("f32")
    .mul(2 ** -kept);
}

/** Normal with mean 0 and deviation 1 (Box and Muller 1958). */
function normalFrom(w: readonly Value[], dtype: DType): Value {
  const wide = dtype === "float64" ? dtype : "float32";
  const radius = uniformFrom(w.slice(0, 2), wide).complement().log().mul(-2).sqrt();
  return radius.mul(
    uniformFrom(w.slice(2), wide)
      .mul(2 * Math.PI)
      .cos(),
  );
}

export type Draw = (words: readonly Value[], parameters: readonly Value[], dtype: DType) => Value | Mask;

/** One launch that overwrites `target` with draws; the parameters are numbers, or tensors that broadcast. */
export function draw(
  name: string,
  target: Tensor,
  parameters: readonly Operand[],
  body: Draw,
  generator: Generator,
): Tensor {
  const { dtype } = target;
  const computed = isFloat(dtype) ? dtype : name === "randint" ? "uint32" : defaultDType;
  const spec: Traced = {
    name,
    key: `${name} ${dtype}`,
    overwrites: true,
    dtype: () => computed,
    body: ([, ...x], trace) => {
      const at = x.length - 4;
      return [body(randomWords(trace, x.slice(at)), x.slice(0, at), dtype)];
    },
  };
  return inPlace([spec, [target, ...parameters, ...generator.next()]], name);
}

const uniform: Draw = (words, [low, high], dtype) => {
  const [a, b] = [low as Value, high as Value];
  return uniformFrom(words, dtype).mul(b.sub(a)).add(a);
};
export const normalDraw: Draw = (words, [mean, std], dtype) =>
  normalFrom(words, dtype)
    .mul(std as Value)
    .add(mean as Value);
const bernoulliDraw: Draw = (words, [p], dtype) =>
  uniformFrom(words, dtype === "float64" ? dtype : "float32").lt(p as Value);

export function refuseWhole(name: string, target: Tensor): Tensor {
  if (isFloat(target.dtype)) return target;
  throw new DescentError(
    "dtype",
    name,
    "draws floating point numbers",
    { dtype: target.dtype },
    "Use randint for integers.",
  );
}
export function checkStd(name: string, std: Operand): void {
  if (typeof std !== "number" || std >= 0) return;
  throw new DescentError("argument", name, "the standard deviation is negative", { std }, "It is at least 0.");
}
function checkProbability(name: string, p: Operand): void {
  if (typeof p !== "number" || (p >= 0 && p <= 1)) return;
  throw new DescentError("argument", name, "p is no probability", { p }, "It is between 0 and 1.");
}

function generatorOf(name: string, options: GeneratorOption): Generator {
  checkOptions(name, options, ["generator"]);
  return options.generator ?? defaultGenerator;
}

export interface GeneratorOption {
  /** Where the numbers come from. Default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Fills `x` with numbers uniform in [low, high). */
export function uniform_(x: Tensor, low = 0, high = 1, options: GeneratorOption = {}): Tensor {
  if (!(low <= high))
    throw new DescentError("argument", "uniform_", "the bounds are not in order", { low, high }, "low comes first.");
  return draw("uniform_", refuseWhole("uniform_", x), [low, high], uniform, generatorOf("uniform_", options));
}
/** Fills `x` with normal numbers of this mean and standard deviation. */
export function normal_(x: Tensor, mean = 0, std = 1, options: GeneratorOption = {}): Tensor {
  checkStd("normal_", std);
  return draw("normal_", refuseWhole("normal_", x), [mean, std], normalDraw, generatorOf("normal_", options));
}
/** Fills `x` with ones, of probability `p` (a number, or a tensor that broadcasts), and zeros. */
export function bernoulli_(x: Tensor, p: Operand = 0.5, options: GeneratorOption = {}): Tensor {
  checkProbability("bernoulli_", p);
  return draw("bernoulli_", x, [p], bernoulliDraw, generatorOf("bernoulli_", options));
}
