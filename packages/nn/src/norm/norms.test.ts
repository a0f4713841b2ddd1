import { gradcheck, gradgradcheck, variable } from "@descent/autograd";
import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, needs } from "backend-under-test";
import { loadFixtures, type OpCase, type RawTensor } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { setParameters } from "../testing/build.ts";
import { expectLike, fromFixture, holds } from "../testing/fixture.ts";
import { message } from "../testing/message.ts";
import { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from "./batch-norm.ts";
import { groupNorm, LayerNorm, layerNorm, rmsNorm } from "./layer-norm.ts";
import { batchStandardize, standardizeWith } from "./normalize.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

interface Pass {
  readonly mode: "train" | "eval";
  readonly input: RawTensor;
  readonly output: RawTensor;
  readonly gradOutput: RawTensor;
  readonly gradInput: RawTensor;
  readonly gradParameters: Readonly<Record<string, RawTensor>>;
  readonly buffers: Readonly<Record<string, RawTensor>>;
}

interface BatchNormCase {
  readonly module: "BatchNorm1d" | "BatchNorm2d";
  readonly options: BatchNormOptions & { numFeatures: number };
  readonly dtype: "float32" | "float64";
  readonly parameters: Readonly<Record<string, RawTensor>>;
  readonly passes: readonly Pass[];
  readonly input?: RawTensor;
  readonly error?: true;
}

const classes = { BatchNorm1d, BatchNorm2d };

describe("batch norm as PyTorch", () => {
  const cases = loadFixtures<BatchNormCase>("nn-batch-norm");
  test.each(cases.map((c, i) => [`${i} ${c.module} ${JSON.stringify(c.options)} ${c.dtype}`, c] as const))(
    "%s",
    async (label, c) => {
      const { numFeatures, ...options } = c.options;
      const module = new classes[c.module](numFeatures, { ...options, dtype: c.dtype });
      if (c.error) return expect(() => module.forward(fromFixture(c.input as RawTensor))).toThrow();
      setParameters(module, c.parameters);
      for (const [i, pass] of c.passes.entries()) {
        const at = `${label}, pass ${i}`;
        module.train(pass.mode === "train");
        module.zeroGrad();
        const x = variable(fromFixture(pass.input));
        const output = module.forward(x);
        output.backward(fromFixture(pass.gradOutput));
        await expectLike(output, pass.output, at, 4);
        await expectLike(x.grad as Tensor, pass.gradInput, `${at}, gradInput`, 20);
        for (const [name, p] of module.namedParameters())
          await expectLike(p.grad as Tensor, pass.gradParameters[name] as RawTensor, `${at}, ${name}`, 20);
        const buffers = module.namedBuffers();
        expect(buffers.map(([name]) => name)).toEqual(Object.keys(pass.buffers));
        for (const [name, b] of buffers) await expectLike(b, pass.buffers[name] as RawTensor, `${at}, ${name}`, 4);
      }
    },
  );
});

test("layerNorm as PyTorch", async () => {
  for (const c of loadFixtures<OpCase>("nn-losses").filter(({ op }) => op === "layerNorm")) {
    if (!holds((c.inputs[0] as RawTensor).dtype)) continue;
    const [x, weight, bias] = c.inputs.map((raw) => variable(fromFixture(raw as RawTensor))) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const y = layerNorm(x, [4], { weight, bias, eps: 1e-5 });
    await expectLike(y, c.outputs?.[0] as RawTensor, "y", 4);
    if (!c.gradOutputs) continue;
    y.backward(fromFixture(c.gradOutputs[0] as RawTensor));
    for (const [i, t] of [x, weight, bias].entries())
      await expectLike(t.grad as Tensor, c.grads?.[i] as RawTensor, `gradient ${i}`, 20);
  }
});

const f64 = (shape: readonly number[], seed: number) =>
  tensor(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 2.3 * i))).reshape(
    shape,
  );

describe("derivatives by differences", needs("float64"), () => {
  const x = () => f64([2, 4, 3], 1);
  const table: Record<string, [(...x: Tensor[]) => Tensor, () => Tensor[]]> = {
    layerNorm: [
      (x, weight, bias) => layerNorm(x!, [4, 3], { weight: weight!, bias: bias! }),
      () => [x(), f64([4, 3], 2), f64([4, 3], 3)],
    ],
    "layerNorm of the last axis": [(x, weight) => layerNorm(x!, [3], { weight: weight! }), () => [x(), f64([3], 2)]],
    rmsNorm: [(x, weight) => rmsNorm(x!, [3], { weight: weight!, eps: 0.1 }), () => [x(), f64([3], 2)]],
    groupNorm: [
      (x, weight, bias) => groupNorm(x!, 2, { weight: weight!, bias: bias! }),
      () => [x(), f64([4], 2), f64([4], 3)],
    ],
    "batch norm in training": [
      (x, weight, bias) => batchStandardize(x!, [0, 2], weight!, bias!, 1e-5).y,
      () => [x(), f64([1, 4, 1], 2), f64([1, 4, 1], 3)],
    ],
    "batch norm in evaluation": [
      (x, weight, bias) =>
        standardizeWith(x!, f64([1, 4, 1], 5), f64([1, 4, 1], 6).mul(f64([1, 4, 1], 6)), weight!, bias!, 1e-5),
      () => [x(), f64([1, 4, 1], 2), f64([1, 4, 1], 3)],
    ],
  };
  test.each(Object.entries(table))("%s", async (_name, [f, inputs]) => {
    await gradcheck(f, inputs());
    await gradgradcheck(f, inputs());
  });
});

test("says what is wrong", () => {
  const x = tensor(new Float32Array(6)).reshape([2, 3]);
  expect(message(() => new BatchNorm1d(3, { trackRunningStat: true } as object))).toMatchInlineSnapshot(`
    "BatchNorm1d: unknown option
      option trackRunningStat
    Did you mean "trackRunningStats"?"
  `);
  expect(message(() => new BatchNorm1d(4).forward(x))).toMatchInlineSnapshot(`
    "BatchNorm1d: the input has another number of channels
      input       [2, 3]
      numFeatures 4"
  `);
  expect(message(() => new BatchNorm2d(3).forward(x))).toMatchInlineSnapshot(`
    "BatchNorm2d: takes 4 axes
      input [2, 3]
      axes  2
    The second axis counts the channels."
  `);
  expect(message(() => new BatchNorm1d(6).forward(x.reshape([1, 6])))).toMatchInlineSnapshot(`
    "BatchNorm1d: a channel of one value has no variance to learn from
      input [1, 6]
    Use a larger batch, or dropLast in the loader; eval() for single samples."
  `);
  expect(message(() => new LayerNorm([2, 2]).forward(x))).toMatchInlineSnapshot(`
    "layerNorm: the last axes of the input have other extents
      input           [2, 3]
      normalizedShape [2, 2]"
  `);
  expect(message(() => groupNorm(x, 2))).toMatchInlineSnapshot(`
    "groupNorm: the channels do not fall into groups
      input     [2, 3]
      numGroups 2
    numGroups divides the second extent."
  `);
});
