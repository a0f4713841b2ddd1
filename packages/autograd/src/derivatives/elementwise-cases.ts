import * as ops from "@descent/tensor";
import { type Tensor, tensor, type Value } from "@descent/tensor";
import { type Case, mask } from "./values.ts";

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

/** Points away from 0, ±0.5, ±1, ±3 and 6, where these functions have kinks. */
const anywhere = [-3.4, -1.3, -0.7, -0.2, 0.3, 0.8, 1.7, 4.1, 6.4];
const small = [-2.1, -1.3, -0.7, -0.2, 0.3, 0.8, 1.7];
const positive = [0.2, 0.7, 1.3, 2.6, 5.1];
const inside = [-0.8, -0.3, 0.1, 0.4, 0.9];

const unary: readonly (readonly [points: readonly number[], names: readonly string[]])[] = [
  [
    anywhere,
    [
      ...[
        "abs",
        "asinh",
        "atan",
        "ceil",
        "cos",
        "floor",
        "frac",
        "neg",
        "relu",
        "relu6",
        "round",
        "sign",
        "sin",
        "square",
      ],
      ...[
        "trunc",
        "nanToNum",
        "celu",
        "elu",
        "selu",
        "gelu",
        "hardshrink",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "leakyRelu",
      ],
      ...["logSigmoid", "mish", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanhshrink", "reciprocal"],
    ],
  ],
  [small, ["cosh", "erf", "erfc", "exp", "exp2", "expm1", "sinh", "tanh"]],
  [positive, ["log", "log10", "log1p", "log2", "rsqrt", "sqrt"]],
  [inside, ["acos", "asin", "atanh", "tan"]],
  [[0.1, 0.4, 0.8], ["logit"]],
  [[1.2, 2.3, 5.1], ["acosh"]],
];

const [left, right] = [[-1.7, 0.6, 2.3, 1.4], [0.9, -1.2, 1.1, 3.2]]; // biome-ignore format: two operands
const binary: readonly string[] = [
  ...["add", "sub", "mul", "div", "atan2", "copysign", "fmax", "fmin", "maximum", "minimum", "fmod", "remainder"],
  ...["hypot", "logaddexp"],
];

const at = (...x: readonly number[]): Tensor => tensor([...x], { dtype: "float64" });
const column = (...x: readonly number[]): Tensor => at(...x).reshape([x.length, 1]);
const named = ops as unknown as Readonly<Record<string, never>>;

/** Everything that works element by element. */
export const elementwiseCases = (): Case[] => [
  ...unary.flatMap(([points, names]) =>
    names.map((name): Case => [name, (x) => (named[name] as unknown as Unary)(x as Tensor), [at(...points)]]),
  ),
  ...binary.flatMap((name): Case[] => {
    const f = named[name] as unknown as Binary;
    return [
      [name, (a, b) => f(a!, b!), [at(...left!), at(...right!)]],
      [`${name} that broadcasts`, (a, b) => f(a!, b!), [column(-1.7, 0.6), at(0.9, -1.2, 1.1)]],
    ];
  }),
  ["gelu by tanh", (x) => ops.gelu(x!, { approximate: "tanh" }), [at(...small)]],
  ["threshold", (x) => ops.threshold(x!, 0.5, -2), [at(...anywhere)]],
  ["pow of a number", (x) => ops.pow(x!, 3), [at(...small)]],
  ["pow, a root", (x) => ops.pow(x!, 0.5), [at(...positive)]],
  ["pow of two tensors", (a, b) => ops.pow(a!, b!), [at(0.5, 1.7, 2.2), at(2, -1.5, 0.5)]],
  ["pow with a number as base", (x) => ops.pow(2, x!), [at(...small)]],
  ["xlogy", (a, b) => ops.xlogy(a!, b!), [at(-1, 0.5, 2), at(0.5, 1.5, 3)]],
  ["addcdiv", (a, b, c) => ops.addcdiv(a!, b!, c!, { value: 0.5 }), [at(1, 2), at(-1, 0.5), column(2, 3)]],
  ["addcmul", (a, b, c) => ops.addcmul(a!, b!, c!, { value: -2 }), [at(1, 2), at(-1, 0.5), column(2, 3)]],
  ["lerp", (a, b, c) => ops.lerp(a!, b!, c!), [at(1, 2), at(-1, 0.5), column(0.3, 0.8)]],
  ["lerp with a number", (a, b) => ops.lerp(a!, b!, 0.3), [at(1, 2), at(-1, 0.5)]],
  ["clamp", (x) => ops.clamp(x!, { min: -0.5, max: 1 }), [at(...anywhere)]],
  [
    "clamp between tensors",
    (x, a, b) => ops.clamp(x!, { min: a!, max: b! }),
    [at(-2, 0, 3), at(-1, -1, -1), at(1, 2, 2)],
  ],
  ["clampMin", (x) => ops.clampMin(x!, 0.5), [at(...anywhere)]],
  ["clampMax", (x) => ops.clampMax(x!, 0.5), [at(...anywhere)]],
  ["where", (a, b) => ops.where(mask(), a!, b!), [at(1, 2, 3), column(4, 5)]],
  ["to", (x) => ops.to(ops.to(x!, "float64"), "float64").mul(2), [at(1, 2)]],
  ["fuse", (a, b) => ops.fuse((x: Value, y: Value) => x.mul(y).exp().add(y))(a!, b!), [at(1, 2), column(-1, 0.5)]],
  ["fuse of rows", (a) => ops.fuse((x: Value) => x.div(x.square().sum().sqrt()), { dims: -1 })(a!), [at(1, 2, -3)]],
];
