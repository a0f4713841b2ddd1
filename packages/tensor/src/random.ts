import { DescentError, dtypeKind, type Shape, type Value } from "@descent/backend";
import { type CreateOptions, empty, tensor } from "./create.ts";
import { defaultGenerator, type Generator } from "./generator.ts";
import type { Operand } from "./ops/define.ts";
import {
  bernoulli_,
  checkStd,
  type Draw,
  draw,
  type GeneratorOption,
  normal_,
  normalDraw,
  refuseWhole,
  uniform_,
} from "./ops/draw.ts";
import { checkOptions } from "./options.ts";
import { broadcastShapes } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

export interface RandomOptions extends CreateOptions, GeneratorOption {}
type LikeOptions = Omit<RandomOptions, "backend">;
const like = (x: Tensor, options: LikeOptions): RandomOptions => ({ dtype: x.dtype, ...options, backend: x.backend });

/** An empty tensor for the draws of `name`, and the generator to draw from. */
function prepared(name: string, shape: Shape, options: RandomOptions): [Tensor, Generator] {
  checkOptions(name, options, ["dtype", "backend", "generator"]);
  const { generator = defaultGenerator, ...rest } = options;
  return [empty(shape, rest, name), generator];
}

/** Uniform in [0, 1). */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  const [target, generator] = prepared("rand", shape, options);
  return uniform_(target, 0, 1, { generator });
}
/** Normal with mean 0 and standard deviation 1. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  const [target, generator] = prepared("randn", shape, options);
  return normal_(target, 0, 1, { generator });
}
/** Whole numbers, each from `low` (included) to `high` (not included) equally likely; `randint(high, shape)` starts at 0. Default dtype: int64. */
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(
  first: number,
  second: number | Shape,
  third?: Shape | RandomOptions,
  fourth?: RandomOptions,
): Tensor {
  const short = typeof second !== "number";
  const [low, high] = short ? [0, first] : [first, second];
  const [shape, options = {}] = (short ? [second, third] : [third, fourth]) as [Shape, RandomOptions?];
  if (!(Number.isInteger(low) && Number.isInteger(high) && low < high && high - low < 2 ** 32))
    throw new DescentError(
      "argument",
      "randint",
      "there are no integers between the bounds",
      { low, high },
      "low < high, both whole.",
    );
  const [target, generator] = prepared("randint", shape, { dtype: "int64", ...options });
  const real = dtypeKind(target.dtype) === "float";
  const body: Draw = ([word], [span, from]) => {
    const below = (word as Value).mulHigh(span as Value);
    return real ? below.cast("f32").add(from as Value) : below.add(from as Value);
  };
  return draw("randint", target, [high - low, low], body, generator);
}
/** The integers below `n` in random order (Fisher and Yates). Default dtype: int64. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  checkOptions("randperm", options, ["dtype", "backend", "generator"]);
  const { generator = defaultGenerator, dtype = "int64", ...rest } = options;
  if (!Number.isInteger(n) || n < 0)
    throw new DescentError("argument", "randperm", "n is no count", { n }, "It is an integer of at least 0.");
  return tensor(generator.stream().permutation(n), { dtype, ...rest });
}
/** Ones and zeros: each element of `p` is the probability of a one. */
export function bernoulli(p: Tensor, options: { generator?: Generator } = {}): Tensor {
  const [target, generator] = prepared("bernoulli", p.shape, like(p, options));
  return bernoulli_(refuseWhole("bernoulli", target), p, { generator });
}
/** Normal with mean and standard deviation (torch.normal): tensors that broadcast, or two numbers and a shape. */
export function normal(mean: Operand, std: Operand, shape: Shape | null = null, options: RandomOptions = {}): Tensor {
  const given = [mean, std].filter((x) => typeof x !== "number");
  checkStd("normal", std);
  const [first] = given;
  const extents =
    shape ??
    broadcastShapes(
      "normal",
      given.map((x) => x.shape),
    );
  const [target, generator] = prepared("normal", extents, first ? like(first, options) : options);
  return draw("normal", refuseWhole("normal", target), [mean, std], normalDraw, generator);
}

/** As the functions above, in the shape, dtype and place of `x`. */
export const randLike = (x: Tensor, options: LikeOptions = {}): Tensor => rand(x.shape, like(x, options));
export const randnLike = (x: Tensor, options: LikeOptions = {}): Tensor => randn(x.shape, like(x, options));
export const randintLike = (x: Tensor, low: number, high: number, options: LikeOptions = {}): Tensor =>
  randint(low, high, x.shape, like(x, options));
