import { variable } from "@descent/autograd";
import * as nn from "@descent/nn";
import { steps, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decode, expectClose, loadFixtures, type RawTensor } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import {
  AveragedModel,
  type AveragedState,
  type AverageFn,
  getEmaAvgFn,
  getSwaAvgFn,
  SGD,
  updateBn,
} from "../index.ts";

await use(backendUnderTest());

type Tensors = Readonly<Record<string, RawTensor>>;
interface Case {
  readonly kind: "swa" | "ema" | "batch norm";
  readonly dtype: "float32" | "float64";
  readonly decay: number;
  readonly useBuffers: boolean;
  readonly given: readonly Tensors[];
  /** After the first, the second and the last update. */
  readonly after: readonly Tensors[];
}

const cases = loadFixtures<Case>("optim-averaging");
const made = (raw: RawTensor): Tensor => {
  const { data, dtype, shape } = decode(raw);
  const host = dtype === "int64" ? Int32Array.from(data) : (data as Float32Array);
  return tensor(host, { dtype }).reshape(shape);
};
/** A model that is no module: only what averaging asks for. */
const modelOf = (state: Tensors) => {
  const named = Object.entries(state).map(([name, raw]) => [name, made(raw)] as [string, Tensor]);
  const pick = (names: string[]) => named.filter(([name]) => names.includes(name));
  return {
    all: named,
    namedParameters: () => pick(["weight", "bias"]),
    parameters: () => pick(["weight", "bias"]).map(([, p]) => p),
    namedBuffers: () => pick(["running", "count"]),
    buffers: () => pick(["running", "count"]).map(([, p]) => p),
  };
};

describe("as PyTorch", () => {
  const averages = cases.filter(({ kind }) => kind !== "batch norm");
  test.each(
    averages.map((c) => [`${c.kind} ${c.decay}, ${c.useBuffers ? "with" : "without"} buffers, ${c.dtype}`, c] as const),
  )("%s", async (_, c) => {
    const avgFn = c.kind === "swa" ? getSwaAvgFn() : getEmaAvgFn(c.decay);
    const model = modelOf(c.given[0]!);
    const averaged = new AveragedModel(model, { avgFn, useBuffers: c.useBuffers });
    for (const [k, given] of c.given.entries()) {
      for (const [name, target] of model.all) target.copy_(made(given[name]!));
      averaged.updateParameters();
      const expected = k < 2 ? c.after[k] : k === c.given.length - 1 ? c.after[2] : undefined;
      if (!expected) continue;
      const state = averaged.stateDict();
      expect(Object.keys(state).sort()).toEqual(Object.keys(expected).sort());
      expect(state.n_averaged).toBe(k + 1);
      for (const [key, raw] of Object.entries(expected)) {
        if (key === "n_averaged") continue;
        // The same formulas, rounded in another order.
        const tolerance = c.dtype === "float32" ? { rtol: 1e-6, atol: 1e-7 } : { rtol: 1e-14, atol: 1e-15 };
        expectClose(await (state[key] as Tensor).data(), decode(raw).data, { ...tolerance, label: `${k} ${key}` });
      }
    }
  });

  test("batch norm statistics over all batches", async () => {
    const [c] = cases.filter(({ kind }) => kind === "batch norm") as unknown as [
      { before: Tensors; after: Tensors; batches: RawTensor[] },
    ];
    const model = new nn.Sequential(
      new nn.Linear(3, 4),
      new nn.BatchNorm1d(4),
      new nn.ReLU(),
      new nn.Linear(4, 2),
      new nn.BatchNorm1d(2),
    );
    model.loadStateDict(Object.fromEntries(Object.entries(c.before).map(([key, raw]) => [key, made(raw)])));
    const batches = c.batches.map(made);
    model.train();
    for (const x of batches) model.forward(x);
    model.eval();
    // In each of the forms a loader may give.
    const forms = [batches, batches.map((x) => [x, null]), batches.map((x) => ({ x, y: null }))];
    for (const loader of forms) {
      await updateBn<unknown, Tensor>(loader, model);
      for (const [key, raw] of Object.entries(c.after))
        expectClose(await model.stateDict()[key]!.data(), decode(raw).data, { rtol: 2e-6, atol: 1e-6, label: key });
    }
    const norms = model.modules().filter((m) => m instanceof nn.BatchNorm1d);
    expect(norms.map(({ momentum, training }) => [momentum, training])).toEqual([[0.1, false], [0.1, false]]); // biome-ignore format: one line
    expect(model.parameters().every((p) => p.requiresGrad && p.grad === null)).toBe(true);
  });
});

const scalar = (value: number) => {
  const weight = variable([value]);
  return { weight, parameters: () => [weight] };
};
const set = ({ weight }: { weight: Tensor }, value: number) => void weight.detach().fill_(value);
/** The averages after each of `values`. */
const averagesOf = (avgFn: AverageFn, values: number[]) => {
  const model = scalar(0);
  const averaged = new AveragedModel(model, { avgFn });
  const averages = values.map((value) => {
    set(model, value);
    averaged.updateParameters();
    return averaged.parameters()[0]!.item();
  });
  return Promise.all(averages);
};

describe("averages", () => {
  test("the golden values", async () => {
    expectClose(await averagesOf(getEmaAvgFn(0.9), [1, 2, 4]), [1, 1.1, 1.39], { rtol: 1e-6 });
    expect(await averagesOf(getSwaAvgFn(), [1, 2, 6])).toEqual([1, 1.5, 3]);
  });

  test("a decay that warms up forgets the first weights sooner", async () => {
    let expected = 0;
    const values = [8, 4, 2, 1, 1, 1];
    const wanted = values.map((value, n) => {
      const decay = n === 0 ? 0 : Math.min(0.4, (1 + n) / (10 + n));
      expected = decay * expected + (1 - decay) * value;
      return expected;
    });
    expectClose(await averagesOf(getEmaAvgFn(0.4, { warmup: 10 }), values), wanted, { rtol: 1e-6 });
  });

  test("a function of one's own, traced into one launch", async () => {
    const largest: AverageFn = (averaged, current) => averaged.maximum(current);
    expect(await averagesOf(largest, [1, 5, 3])).toEqual([1, 5, 5]);
    // Two functions must not share a program.
    expect(await averagesOf((a, b) => a.minimum(b), [1, 5, 0])).toEqual([1, 1, 0]);
  });

  test("another model of the same structure", async () => {
    const averaged = new AveragedModel(scalar(0));
    averaged.updateParameters(scalar(4));
    averaged.updateParameters(scalar(2));
    expect(await averaged.parameters()[0]!.item()).toBe(3);
  });

  test("training goes on untouched by averaging, and the average follows it", async () => {
    const [plain, followed] = [scalar(8), scalar(8)];
    const averaged = new AveragedModel(followed, { avgFn: getEmaAvgFn(0.5) });
    const optimizers = [plain, followed].map((model) => new SGD(model.parameters(), { lr: 0.25 }));
    for (let step = 0; step < 3; step++) {
      for (const [i, model] of [plain, followed].entries()) {
        optimizers[i]!.zeroGrad();
        model.weight.mul(model.weight).sum().backward();
        optimizers[i]!.step();
      }
      averaged.updateParameters();
      averaged.evaluate(() => 0);
    }
    expect(await followed.weight.item()).toBe(await plain.weight.item()); // 4, 2, 1
    expect(await averaged.parameters()[0]!.item()).toBe(2); // 4, 3, 2
  });
});

describe("swapping in", () => {
  const start = () => {
    const model = scalar(1);
    const averaged = new AveragedModel(model);
    averaged.updateParameters();
    set(model, 3);
    averaged.updateParameters(); // mean 2
    return { model, averaged };
  };

  test("evaluate lends the averages, and puts the weights back", async () => {
    const { model, averaged } = start();
    expect(await averaged.evaluate(({ weight }) => weight.item())).toBe(2);
    expect(await model.weight.item()).toBe(3);
    expect(await averaged.parameters()[0]!.item()).toBe(2);
  });

  test("also when the function fails, and when it is asynchronous", async () => {
    const { model, averaged } = start();
    const fails = () => {
      throw new Error("no");
    };
    expect(() => averaged.evaluate(fails)).toThrow("no");
    expect(await model.weight.item()).toBe(3);
    const pending = averaged.evaluate(async ({ weight }) => {
      await Promise.resolve();
      return weight.item();
    });
    expect(await model.weight.item()).toBe(2);
    expect(await pending).toBe(2);
    expect(await model.weight.item()).toBe(3);
    await expect(averaged.evaluate(async () => fails())).rejects.toThrow("no");
    expect(await model.weight.item()).toBe(3);
  });

  test("by hand: what happens meanwhile stays with the averages; saving does not mind", async () => {
    const { model, averaged } = start();
    {
      using _ = averaged.swapIn();
      expect(await model.weight.item()).toBe(2);
      expect(await (averaged.stateDict()["module.parameter0"] as Tensor).item()).toBe(2);
      set(model, 2.5);
    }
    expect([await model.weight.item(), await averaged.parameters()[0]!.item()]).toEqual([3, 2.5]);
    averaged.restore();
    expect(await model.weight.item()).toBe(3);
  });

  test("copyTo makes them the model's own", async () => {
    const { model, averaged } = start();
    averaged.copyTo();
    expect(await model.weight.item()).toBe(2);
    const other = scalar(0);
    averaged.copyTo(other);
    expect(await other.weight.item()).toBe(2);
  });

  test("batch norm statistics belong to the averages", async () => {
    const model = new nn.Sequential(new nn.Linear(1, 2), new nn.BatchNorm1d(2));
    const averaged = new AveragedModel(model);
    averaged.updateParameters();
    const norm = model.modules().find((m) => m instanceof nn.BatchNorm1d)!;
    await updateBn([tensor([[1], [2]]), tensor([[3], [4]])], averaged);
    expect(await norm.numBatchesTracked!.item()).toBe(0);
    expect(await (averaged.stateDict()["module.1.num_batches_tracked"] as Tensor).item()).toBe(2);
    await updateBn([tensor([[1]])], new nn.Sequential(new nn.Linear(1, 1))); // nothing to do
  });
});

test("a saved state goes on alike", async () => {
  const run = (averaged: AveragedModel, model: ReturnType<typeof scalar>, values: number[]) => {
    for (const value of values) {
      set(model, value);
      averaged.updateParameters();
    }
  };
  const [a, b] = [scalar(0), scalar(0)];
  const avgFn = getEmaAvgFn(0.99, { warmup: 10 });
  const [first, second] = [new AveragedModel(a, { avgFn }), new AveragedModel(b, { avgFn })];
  run(first, a, [5, 3, 4]);
  const state = first.stateDict();
  // PyTorch saves the count as a tensor.
  second.loadStateDict({ ...state, n_averaged: tensor(3, { dtype: "int64" }) } as AveragedState);
  run(first, a, [1, 2]);
  run(second, b, [1, 2]);
  expect(await second.parameters()[0]!.item()).toBe(await first.parameters()[0]!.item());
  expect(second.nAveraged).toBe(5);
});

describe("bad input", () => {
  const averaged = () => new AveragedModel(scalar(0));
  const swapped = () => {
    const model = averaged();
    model.swapIn();
    return model;
  };
  const other = { parameters: () => [tensor([1, 2])] };
  const bad: [string, () => unknown][] = [
    ["no model", () => new AveragedModel({} as never)],
    ["a model without parameters", () => new AveragedModel({ parameters: () => [] })],
    ["parameters that are no tensors", () => new AveragedModel({ parameters: () => [1] } as never)],
    ["an unknown option", () => new AveragedModel(scalar(0), { useBuffer: true } as object)],
    ["a decay instead of a function", () => new AveragedModel(scalar(0), { avgFn: 0.9 as never })],
    ["a decay above 1", () => getEmaAvgFn(1.1)],
    ["a negative warm-up", () => getEmaAvgFn(0.9, { warmup: -1 })],
    ["a model of another structure", () => averaged().updateParameters(other)],
    ["updating while swapped in", () => swapped().updateParameters()],
    ["swapping in twice", () => swapped().swapIn()],
    ["copying while swapped in", () => swapped().copyTo()],
    ["a state of another model", () => averaged().loadStateDict({ n_averaged: 1, "module.weight": tensor([1]) })],
    [
      "a count that is no number",
      () => averaged().loadStateDict({ ...averaged().stateDict(), n_averaged: "1" } as never),
    ],
    [
      "a state of another shape",
      () => averaged().loadStateDict({ n_averaged: 1, "module.parameter0": tensor([1, 2]) }),
    ],
  ];
  test.each(bad)("%s", async (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
  test("a batch without an input", async () => {
    const model = new nn.Sequential(new nn.BatchNorm1d(1));
    await expect(updateBn([{ image: tensor([[1], [2]]) }], model)).rejects.toThrowErrorMatchingSnapshot();
    expect(model.modules().every(({ training }) => training)).toBe(true);
    await updateBn([{ image: tensor([[1], [2]]) }], model, { input: ({ image }) => image });
  });
});

test("a loop that averages and evaluates runs at constant memory", async () => {
  const model = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4));
  const averaged = new AveragedModel(model, { avgFn: getEmaAvgFn(0.9, { warmup: 10 }), useBuffers: true });
  const x = tensor([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: one line
  const seen: number[] = [];
  for (const _ of steps(20)) {
    averaged.updateParameters();
    averaged.evaluate(() => model.forward(x));
    seen.push(x.runtime.memory.report().buffers);
  }
  expect(seen.at(-1)).toBe(seen[5]);
});
