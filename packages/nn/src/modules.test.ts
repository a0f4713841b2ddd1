import { gradcheck, variable } from "@descent/autograd";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, needs, under } from "backend-under-test";
import { loadFixtures, type RawTensor } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import * as nn from "./index.ts";
import { setParameters } from "./testing/build.ts";
import { expectLike, fromFixture } from "./testing/fixture.ts";
import { message } from "./testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

interface ModuleCase {
  readonly module: keyof typeof nn;
  readonly options: Readonly<Record<string, unknown>>;
  readonly dtype: "float32" | "float64";
  readonly parameters: Readonly<Record<string, RawTensor>>;
  readonly input: RawTensor;
  readonly output: RawTensor;
  readonly gradOutput: RawTensor;
  readonly gradInput: RawTensor | null;
  readonly gradParameters: Readonly<Record<string, RawTensor>>;
}

/** The options that are positional here, in order, by PyTorch's names. */
const positional: Readonly<Record<string, readonly string[]>> = {
  Linear: ["inFeatures", "outFeatures"],
  Conv1d: ["inChannels", "outChannels", "kernelSize"],
  Conv2d: ["inChannels", "outChannels", "kernelSize"],
  MaxPool2d: ["kernelSize"],
  AvgPool2d: ["kernelSize"],
  LayerNorm: ["normalizedShape"],
  RMSNorm: ["normalizedShape"],
  GroupNorm: ["num_groups", "num_channels"],
  Flatten: ["startDim", "endDim"],
  Softmax: ["dim"],
  LogSoftmax: ["dim"],
  Embedding: ["numEmbeddings", "embeddingDim"],
};

const classes: Readonly<Record<string, unknown>> = { ...nn };

function build({ module, options, dtype }: ModuleCase): nn.Module {
  const names = positional[module] ?? [];
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
  const learns = ["Linear", "Conv1d", "Conv2d", "LayerNorm", "RMSNorm", "GroupNorm", "Embedding"].includes(module);
  const Class = classes[module] as new (...args: unknown[]) => nn.Module;
  return new Class(...names.map((name) => options[name]), { ...rest, ...(learns && { dtype }) });
}

describe("as PyTorch", () => {
  const cases = loadFixtures<ModuleCase>("nn-modules");
  const named = cases.map((c, i) => [`${i} ${c.module} ${JSON.stringify(c.options)} ${c.dtype}`, c] as const);
  test.each(named)("%s", async (label, c) => {
    const module = build(c);
    setParameters(module, c.parameters);
    expect(module.namedParameters().map(([name]) => name)).toEqual(Object.keys(c.parameters));
    const given = fromFixture(c.input);
    const x = c.gradInput ? variable(given) : given;
    const output = module.forward(x);
    await expectLike(output, c.output, label, 4);
    output.backward(fromFixture(c.gradOutput));
    if (c.gradInput) await expectLike(x.grad as Tensor, c.gradInput, `${label}, gradInput`, 8);
    for (const [name, p] of module.namedParameters())
      await expectLike(p.grad as Tensor, c.gradParameters[name] as RawTensor, `${label}, ${name}`, 8);
  });
});

describe("a Sequential", () => {
  const [dtype, digits] = under.float64 ? (["float64", 12] as const) : (["float32", 5] as const);
  const x = () =>
    tensor(
      [
        [0.5, -1],
        [2, 0.25],
        [-0.75, 1.5],
      ],
      { dtype },
    );
  const layers: Record<string, () => nn.Module> = {
    ReLU: () => new nn.ReLU(),
    GELU: () => new nn.GELU(),
    "GELU, tanh": () => new nn.GELU({ approximate: "tanh" }),
    SiLU: () => new nn.SiLU(),
    Tanh: () => new nn.Tanh(),
    Sigmoid: () => new nn.Sigmoid(),
    ELU: () => new nn.ELU(),
  };
  test.each(Object.entries(layers))("gives the same fused and apart: %s", async (_name, make) => {
    const linear = new nn.Linear(2, 3, { dtype });
    const model = new nn.Sequential(linear, make());
    const apart = make();
    const data = async (t: Tensor) => Array.from(await t.data(), (v) => v.toFixed(digits));
    const [a, b] = [variable(x()), variable(x())];
    const [y, z] = [model.forward(a), apart.forward(linear.forward(b))];
    expect(await data(y)).toEqual(await data(z));
    y.sum().backward();
    const own = await data(linear.weight.grad as Tensor);
    linear.zeroGrad();
    z.sum().backward();
    expect(own).toEqual(await data(linear.weight.grad as Tensor));
    expect(await data(a.grad as Tensor)).toEqual(await data(b.grad as Tensor));
    if (under.float64) await gradcheck((v) => model.forward(v), [x()]);
  });

  test("lets hooks see what is between two layers", () => {
    const model = new nn.Sequential(new nn.Linear(2, 3, { dtype }), new nn.ReLU());
    const seen: number[][] = [];
    const hook = model.at(0)!.registerForwardHook((_module, _inputs, output) => {
      seen.push([...output.shape]);
      return undefined;
    });
    model.forward(x());
    hook.remove();
    model.forward(x());
    expect(seen).toEqual([[3, 3]]);
  });
});

describe("dropout", () => {
  const ones = (n: number) => tensor(new Float32Array(n).fill(1));
  test("drops a share, scales the rest, and passes the gradient of what it kept", async () => {
    const x = variable(ones(10000));
    const y = nn.dropout(x, 0.25);
    const kept = Array.from(await y.data());
    expect(new Set(kept.map((v) => v.toFixed(4)))).toEqual(new Set(["0.0000", "1.3333"]));
    expect(Math.abs(kept.filter((v) => v > 0).length - 7500)).toBeLessThan(200);
    y.sum().backward();
    expect(Array.from(await (x.grad as Tensor).data())).toEqual(kept);
    expect(Array.from(await nn.dropout(x, 0.25).data())).not.toEqual(kept);
  });

  test("drops the same elements of a transposed gradient", async () => {
    const x = variable(ones(60).reshape([6, 10]));
    const y = nn.dropout(x.transpose(0, 1), 0.5);
    y.transpose(0, 1)
      .mul(ones(60).reshape([10, 6]).transpose(0, 1))
      .sum()
      .backward();
    expect(await (x.grad as Tensor).tolist()).toEqual(await y.transpose(0, 1).tolist());
  });

  test("does nothing in evaluation, and everything at p = 1", async () => {
    const module = new nn.Dropout(0.9).eval();
    const x = ones(4);
    expect(module.forward(x)).toBe(x);
    expect(await nn.dropout(x, 1).tolist()).toEqual([0, 0, 0, 0]);
    expect(await nn.dropout(x, 0).tolist()).toEqual([1, 1, 1, 1]);
    expect(message(() => new nn.Dropout(1.5))).toMatchInlineSnapshot(`
      "Dropout: p is no probability
        p 1.5
      It is between 0 and 1. Default: 0.5."
    `);
  });
});

test("says what is wrong", () => {
  const x = tensor([[1, 2]]);
  expect(message(() => new nn.Linear(2, 3).forward(tensor([1, 2, 3])))).toMatchInlineSnapshot(`
    "linear: input and weight do not fit
      input  [3]
      weight [3, 2]
    weight is [out features, in features]; the last axis of input has the in features."
  `);
  expect(message(() => new nn.Linear(2, -3))).toMatchInlineSnapshot(`
    "Linear: outFeatures is no integer of at least 0
      outFeatures -3"
  `);
  expect(message(() => new nn.Linear(2, 3, { biass: false } as object))).toMatchInlineSnapshot(`
    "Linear: unknown option
      option biass
    Did you mean "bias"?"
  `);
  expect(message(() => new nn.Conv2d(3, 4, 3, { groups: 2 }))).toMatchInlineSnapshot(`
    "Conv2d: the channels do not fall into groups
      inChannels  3
      outChannels 4
      groups      2
    groups divides both."
  `);
  expect(message(() => new nn.Conv2d(3, 4, [3, 3, 3]))).toMatchInlineSnapshot(`
    "Conv2d: kernelSize is one integer, or 2
      kernelSize [3, 3, 3]"
  `);
  expect(message(() => new nn.Conv2d(1, 4, 3).forward(x))).toMatchInlineSnapshot(`
    "conv2d: input has the wrong number of axes
      input [1, 2]
    It is [images, channels, …2 extents], or the same without images."
  `);
  expect(message(() => new nn.GELU({ aproximate: "tanh" } as object))).toMatchInlineSnapshot(`
    "GELU: unknown option
      option aproximate
    Did you mean "approximate"?"
  `);
  expect(message(() => new nn.Embedding(3, 2, { paddingIdx: 3 }))).toMatchInlineSnapshot(`
    "Embedding: paddingIdx is no row
      paddingIdx 3
    Rows run from 0 to 2."
  `);
  expect(message(() => new nn.Unflatten(1, [3, 4]).forward(x))).toMatchInlineSnapshot(`
    "Unflatten: the sizes do not make up the axis
      input  [1, 2]
      dim    1
      sizes  [3, 4]
      extent 2"
  `);
  expect(message(() => new nn.Sequential(nn.ReLU as unknown as nn.Module))).toMatchInlineSnapshot(`
    "Sequential: takes modules
      0 the class ReLU
    Did you forget new, as in new ReLU()?"
  `);
  expect(message(() => new nn.ModuleDict({ "a.b": new nn.ReLU() }))).toMatchInlineSnapshot(`
    "ModuleDict: a name is empty or has a dot
      name a.b
    Dots separate levels."
  `);
  expect(message(() => new nn.ModuleList([new nn.ReLU()]).forward())).toMatchInlineSnapshot(`
    "ModuleList: has no forward
    Call the forward of its modules in the forward of your own."
  `);
});

test("an index without a row", needs("checksIndices"), () => {
  expect(message(() => new nn.Embedding(3, 2).forward(tensor([3], { dtype: "int64" })))).toMatchInlineSnapshot(`
    "embedding: index out of range
      index  3
      extent 3
    Indices run from 0 to 2."
  `);
});
