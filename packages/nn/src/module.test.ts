import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, needs } from "backend-under-test";
import { beforeAll, describe, expect, test } from "vitest";
import * as nn from "./index.ts";
import { message } from "./testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

class Block extends nn.Module {
  readonly norm = new nn.BatchNorm1d(3);
  readonly linear: nn.Linear;
  readonly scale = new nn.Parameter([2]);
  readonly steps = new nn.Buffer([0, 0]);
  readonly scratch = new nn.Buffer([1], { persistent: false });
  constructor(inputs: number) {
    super();
    this.linear = new nn.Linear(inputs, 3, { bias: false });
  }
  override forward(x: Tensor): Tensor {
    return this.norm.forward(this.linear.forward(x)).mul(this.scale);
  }
}

class Net extends nn.Module {
  readonly blocks = new nn.ModuleList([new Block(2), new Block(3)]);
  readonly heads = new nn.ModuleDict({ scores: new nn.Linear(3, 4) });
  override forward(x: Tensor): Tensor {
    let value = x;
    for (const block of this.blocks) value = block.forward(value);
    return this.heads.get("scores")!.forward(value);
  }
}

const blockKeys = [
  "scale",
  "steps",
  "norm.weight",
  "norm.bias",
  "norm.running_mean",
  "norm.running_var",
  "norm.num_batches_tracked",
  "linear.weight",
];
const netKeys = [
  ...blockKeys.map((key) => `blocks.0.${key}`),
  ...blockKeys.map((key) => `blocks.1.${key}`),
  "heads.scores.weight",
  "heads.scores.bias",
];
const x = () =>
  tensor([
    [1, 2],
    [3, -1],
    [0.5, 4],
  ]);
const lists = async (state: nn.StateDict) =>
  Object.fromEntries(await Promise.all(Object.entries(state).map(async ([key, t]) => [key, await t.tolist()])));

test("members are found by name, in PyTorch's order", () => {
  const net = new Net();
  expect(Object.keys(net.stateDict())).toEqual(netKeys);
  expect(net.namedModules().map(([name]) => name)).toEqual([
    "",
    "blocks",
    "blocks.0",
    "blocks.0.norm",
    "blocks.0.linear",
    "blocks.1",
    "blocks.1.norm",
    "blocks.1.linear",
    "heads",
    "heads.scores",
  ]);
  expect(net.namedParameters().map(([name]) => name)).toEqual(
    netKeys.filter((key) => !/steps|running|batches/.test(key)),
  );
  expect(
    net
      .namedBuffers()
      .map(([name]) => name)
      .filter((name) => name.startsWith("blocks.0")),
  ).toEqual([
    "blocks.0.steps",
    "blocks.0.scratch",
    "blocks.0.norm.running_mean",
    "blocks.0.norm.running_var",
    "blocks.0.norm.num_batches_tracked",
  ]);
  expect(net.blocks.at(0)?.parameters({ recurse: false }).length).toBe(1);
  expect(net.children().map((child) => child.constructor.name)).toEqual(["ModuleList", "ModuleDict"]);
});

test("a shared parameter is learned once and saved under each name", () => {
  class Tied extends nn.Module {
    readonly a = new nn.Linear(2, 2, { bias: false });
    readonly b = this.a;
    override forward(v: Tensor): Tensor {
      return this.b.forward(this.a.forward(v));
    }
  }
  const tied = new Tied();
  expect(tied.parameters().length).toBe(1);
  expect(Object.keys(tied.stateDict())).toEqual(["a.weight", "b.weight"]);
});

describe("state", () => {
  test("goes from one model to another", async () => {
    const [a, b] = [new Net(), new Net()];
    a.forward(x());
    b.forward(x().mul(3));
    expect(await lists(b.stateDict())).not.toEqual(await lists(a.stateDict()));
    expect(b.loadStateDict(a.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(await lists(b.stateDict())).toEqual(await lists(a.stateDict()));
    expect(await b.eval().forward(x()).tolist()).toEqual(await a.eval().forward(x()).tolist());
    expect(
      await b
        .namedBuffers()
        .find(([name]) => name.endsWith("num_batches_tracked"))![1]
        .item(),
    ).toBe(1);
  });

  test("is refused as a whole when a part does not fit", async () => {
    const linear = new nn.Linear(2, 3);
    const before = await lists(linear.stateDict());
    const other = new nn.Linear(2, 4).stateDict();
    expect(message(() => linear.loadStateDict(other))).toMatchInlineSnapshot(`
      "Linear.loadStateDict: the state does not fit
        weight saved [4, 2], expected [3, 2]
        bias   saved [4], expected [3]
      Build the model with the sizes it was saved with."
    `);
    const renamed = { wieght: linear.weight.mul(2).detach(), bias: linear.bias!.mul(2).detach() };
    expect(message(() => linear.loadStateDict(renamed))).toMatchInlineSnapshot(`
      "Linear.loadStateDict: the state does not fit
        missing keys    [weight]
        unexpected keys [wieght]
      Is "wieght" meant for "weight"? { strict: false } leaves out keys that do not match."
    `);
    expect(message(() => linear.loadStateDict({ weight: linear.weight }))).toMatchInlineSnapshot(`
      "Linear.loadStateDict: the state does not fit
        missing keys [bias]
      Pass { strict: false } to leave out keys that do not match."
    `);
    expect(await lists(linear.stateDict())).toEqual(before);
    expect(linear.loadStateDict(renamed, { strict: false })).toEqual({
      missingKeys: ["weight"],
      unexpectedKeys: ["wieght"],
    });
    expect(await lists(linear.stateDict())).toEqual({ ...before, bias: await renamed.bias.tolist() });
  });
});

test("to another dtype: the same parameters, with their gradients", needs("float64"), async () => {
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
  const parameters = model.parameters();
  model.forward(x()).sum().backward();
  const before = await parameters[0]!.tolist();
  model.to("float64");
  expect(model.parameters()).toEqual(parameters);
  expect(await parameters[0]!.tolist()).toEqual(before);
  expect(model.parameters().map(({ dtype, grad }) => [dtype, grad?.dtype])).toEqual(
    parameters.map(() => ["float64", "float64"]),
  );
  expect(model.buffers().map(({ dtype }) => dtype)).toEqual(["float64", "float64", "int64"]);
  model.zeroGrad();
  model
    .forward(
      tensor(
        [
          [1, 2],
          [3, -1],
          [0.5, 4],
        ],
        { dtype: "float64" },
      ),
    )
    .sum()
    .backward();
  expect(parameters[0]!.grad?.dtype).toBe("float64");
});

test("train, eval, apply, zeroGrad, requiresGrad_", async () => {
  const net = new Net();
  net.eval();
  expect(net.modules().some(({ training }) => training)).toBe(false);
  net.heads.train();
  expect(net.modules().filter(({ training }) => training).length).toBe(2);
  const order: string[] = [];
  net.train().apply((module) => order.push(module.constructor.name));
  expect(order).toEqual([
    "BatchNorm1d",
    "Linear",
    "Block",
    "BatchNorm1d",
    "Linear",
    "Block",
    "ModuleList",
    "Linear",
    "ModuleDict",
    "Net",
  ]);
  net.forward(x()).sum().backward();
  net.zeroGrad({ setToNone: false });
  expect(await net.heads.get("scores")!.bias!.grad!.tolist()).toEqual([0, 0, 0, 0]);
  net.zeroGrad();
  expect(net.parameters().every(({ grad }) => grad === null)).toBe(true);
  net.requiresGrad_(false);
  expect(net.forward(x()).requiresGrad).toBe(false);
  net.requiresGrad_();
  net.forward(x()).sum().backward();
  expect(net.parameters().every(({ grad }) => grad !== null)).toBe(true);
});

test("hooks see and change what goes through forward", async () => {
  const double = new nn.Identity();
  const before = double.registerForwardPreHook((_module, [v]) => [v.mul(2)]);
  const after = double.registerForwardHook((module, [v], output) => {
    expect(module).toBe(double);
    expect(v.shape).toEqual(output.shape);
    return output.add(1);
  });
  expect(await double.forward(tensor([1, 2])).tolist()).toEqual([3, 5]);
  before.remove();
  expect(await double.forward(tensor([1, 2])).tolist()).toEqual([2, 3]);
  after.remove();
  expect(double.hasHooks).toBe(false);
  expect(Object.hasOwn(double, "forward")).toBe(false);
});

test("prints as PyTorch does", () => {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.LeakyReLU({ negativeSlope: 0.2 }),
    new nn.MaxPool2d(2),
    new nn.Sequential({ flat: new nn.Flatten(), drop: new nn.Dropout(0.1), scores: new nn.Linear(8, 3) }),
  );
  expect(String(model)).toMatchInlineSnapshot(`
    "Sequential(
      (0): Conv2d(1, 8, kernelSize=[3, 3], stride=1, padding=1, bias=false)
      (1): BatchNorm2d(8, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true)
      (2): LeakyReLU(negativeSlope=0.2)
      (3): MaxPool2d(kernelSize=2)
      (4): Sequential(
        (flat): Flatten(startDim=1, endDim=-1)
        (drop): Dropout(p=0.1)
        (scores): Linear(inFeatures=8, outFeatures=3, bias=true)
      )
    )"
  `);
  expect(String(new Net())).toMatchInlineSnapshot(`
    "Net(
      (blocks): ModuleList(
        (0): Block(
          (norm): BatchNorm1d(3, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true)
          (linear): Linear(inFeatures=2, outFeatures=3, bias=false)
        )
        (1): Block(
          (norm): BatchNorm1d(3, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true)
          (linear): Linear(inFeatures=3, outFeatures=3, bias=false)
        )
      )
      (heads): ModuleDict(
        (scores): Linear(inFeatures=3, outFeatures=4, bias=true)
      )
    )"
  `);
});

test("says what is wrong", () => {
  class Listed extends nn.Module {
    readonly layers = [new nn.Linear(1, 1)];
    override forward(v: Tensor): Tensor {
      return v;
    }
  }
  expect(message(() => new Listed().parameters())).toMatchInlineSnapshot(`
    "Module: what a plain array holds is not registered
      module   Listed
      property layers
    Use new ModuleList([…]) or new ParameterList([…])."
  `);
  expect(message(() => new nn.Parameter(tensor([1], { dtype: "int64" })))).toMatchInlineSnapshot(`
    "variable: only floating point tensors have gradients
      dtype int64
    Pass { dtype: "float32" }."
  `);
});
