import { noGrad, variable } from "@descent/autograd";
import { counted } from "@descent/backend";
import * as nn from "@descent/nn";
import {
  capture,
  getRngState,
  keep,
  manualSeed,
  memory,
  randn,
  randperm,
  setRngState,
  type Tensor,
  tensor,
  use,
} from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeEach, describe, expect, test } from "vitest";
import { Adafactor, Adam, AdamW, Muon, NAdam, RMSprop, SGD } from "./index.ts";

const backend = counted(await backendUnderTest());
await use(backend);
beforeEach(() => void manualSeed(11));

type Steps = { zeroGrad(): void; step(): void; readonly paramGroups: readonly object[] };
type Step = (x: Tensor, y: Tensor) => Tensor;
type Make = () => { model: nn.Module; optimizer: Steps; step: Step };

const labels = (n: number, at: number) =>
  tensor(
    Array.from({ length: n }, (_, k) => (3 * k + at) % 4),
    { dtype: "int64" },
  );
const mlp = () =>
  new nn.Sequential(
    new nn.Linear(6, 8),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.BatchNorm1d(8),
    new nn.Linear(8, 4),
  );
const cnn = () =>
  new nn.Sequential(
    ...[new nn.Conv2d(1, 2, 3), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Dropout(0.5)],
    new nn.Linear(8, 4),
  );

const training = (make: () => nn.Module, optimize: (params: nn.Parameter[]) => Steps): Make => {
  return () => {
    const model = make();
    const optimizer = optimize(model.parameters());
    const step: Step = (x, y) => {
      optimizer.zeroGrad();
      const loss = nn.crossEntropy(model.forward(x) as Tensor, y);
      loss.backward();
      optimizer.step();
      return loss;
    };
    return { model, optimizer, step };
  };
};

/** Losses, parameters and gradients, to the last bit, of twelve steps with a learning rate that changes in each. */
async function trajectory(make: Make, shape: number[], captured: boolean) {
  manualSeed(11);
  const { model, optimizer, step } = make();
  const run = captured ? capture(step) : step;
  const losses: number[] = [];
  for (let i = 0; i < 12; i++) {
    for (const group of optimizer.paramGroups as { lr?: number }[]) group.lr = 0.02 / (1 + i);
    losses.push(await run(randn(shape), labels(shape[0]!, i)).item());
  }
  const state = Object.values(model.stateDict());
  const grads = model.parameters().map(({ grad }) => grad!);
  const numbers = await Promise.all([...state, ...grads].map((x) => x.tolist()));
  return { losses, numbers, rng: getRngState(), counts: "counts" in run ? run.counts : null };
}

describe("captured and eager training agree in every bit", () => {
  const rows: [string, number[], Make][] = [
    ["SGD", [5, 6], training(mlp, (p) => new SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }))],
    ["Adam", [5, 6], training(mlp, (p) => new Adam(p, { amsgrad: true }))],
    ["AdamW over a convolution", [3, 1, 6, 6], training(cnn, (p) => new AdamW(p))],
    ["NAdam", [5, 6], training(mlp, (p) => new NAdam(p))],
    ["RMSprop", [5, 6], training(mlp, (p) => new RMSprop(p, { centered: true, momentum: 0.5 }))],
    ["Adafactor", [5, 6], training(mlp, (p) => new Adafactor(p))],
    ["Muon", [5, 6], training(() => new nn.Linear(6, 4, { bias: false }), (p) => new Muon(p))],
  ]; // biome-ignore format: a table
  test.each(rows)("%s", async (_, shape, make) => {
    const eager = await trajectory(make, shape, false);
    const captured = await trajectory(make, shape, true);
    expect(captured).toEqual({ ...eager, counts: { recordings: 3, replays: 9 } });
  });
});

/** A captured training step over small data. */
function example(more: (model: nn.Module, optimizer: SGD) => void = () => {}) {
  const model = mlp();
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const step = capture((x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = nn.crossEntropy(model.forward(x) as Tensor, y);
    loss.backward();
    more(model, optimizer);
    optimizer.step();
    return loss;
  });
  return { model, optimizer, step };
}

test("a replay is one hand-over, without allocation or compilation, and memory stays constant", async () => {
  const { step } = example();
  const [x, y] = [randn([5, 6]), labels(5, 0)];
  for (let i = 0; i < 4; i++) step(x, y);
  backend.reset();
  const { bytes, buffers } = memory();
  for (let i = 0; i < 100; i++) step(x, y);
  const { submits, allocs, compiles, writes, reads, launches } = backend.counts;
  expect({ submits, allocs, compiles, writes, reads }).toEqual({
    submits: 100,
    allocs: 0,
    compiles: 0,
    writes: 0,
    reads: 0,
  });
  expect(launches % 100).toBe(0);
  expect(memory()).toMatchObject({ bytes, buffers });
  step.dispose();
  expect(memory().bytes).toBeLessThan(bytes);
  step(x, y);
  expect(step.counts).toEqual({ recordings: 4, replays: 101 });
});

describe("what decides which operations run is noticed", () => {
  const cases: [string, (e: ReturnType<typeof example>, run: (rows?: number) => void) => void, number][] = [
    ["another shape, and the first one again", (_, run) => [4, 4, 4, 5].forEach(run), 2],
    ["evaluation mode", ({ model }, run) => { model.eval(); run(); run(); run(); model.train(); run(); run(); run(); }, 4],
    ["gradients cleared outside", ({ optimizer }, run) => { optimizer.zeroGrad(); run(); optimizer.zeroGrad(); run(); run(); }, 2],
  ]; // biome-ignore format: a table
  test.each(cases)("%s", async (_, change, recordings) => {
    const e = example();
    let loss: Tensor | null = null;
    const run = (rows = 5) => {
      loss = e.step(randn([rows, 6]), labels(rows, 0));
    };
    for (let i = 0; i < 5; i++) run();
    const before = e.step.counts.recordings;
    change(e, run);
    expect(e.step.counts.recordings - before).toBe(recordings);
    expect(await loss!.item()).toBeGreaterThan(0);
  });

  test("arguments that are no tensors, and noGrad", async () => {
    const w = variable([1, 2]);
    const f = capture((x: Tensor, how: { double: boolean }) => {
      const y = x.mul(w);
      return { y: how.double ? y.add(y) : y, how };
    });
    for (let i = 0; i < 6; i++) {
      expect(await f(tensor([i, 1]), { double: i % 2 === 0 }).y.tolist()).toEqual(i % 2 === 0 ? [2 * i, 4] : [i, 2]);
      expect(await noGrad(() => f(tensor([i, 1]), { double: false }).y.tolist())).toEqual([i, 2]);
    }
    expect(f.counts.replays).toBeGreaterThan(3);
  });
});

describe("gradients", () => {
  test("accumulate over calls, until somebody clears them", async () => {
    const w = variable([1, 1]);
    const step = capture((x: Tensor) => w.mul(x).sum().backward());
    for (let i = 1; i <= 6; i++) {
      step(tensor([1, 2]));
      expect(await w.grad!.tolist()).toEqual([i, 2 * i]);
    }
    expect(step.counts.replays).toBeGreaterThan(2);
    w.grad = null;
    step(tensor([1, 2]));
    expect(await w.grad!.tolist()).toEqual([1, 2]);
  });

  test("may be cleared before, inside or behind a step, to null or to zeros", async () => {
    for (const setToNone of [true, false]) {
      for (const place of ["before", "first", "last"]) {
        const w = variable([1, 1]);
        const optimizer = new SGD([w], { lr: 1 });
        const clear = (now: string) => now === place && optimizer.zeroGrad({ setToNone });
        const step = capture((x: Tensor) => {
          clear("first");
          w.mul(x).sum().backward();
          optimizer.step();
          clear("last");
        });
        for (let i = 0; i < 7; i++) {
          clear("before");
          step(tensor([1, 2]));
          expect(await w.tolist(), `${place} ${setToNone}`).toEqual([0 - i, -1 - 2 * i]);
        }
        expect(step.counts.replays, `${place} ${setToNone}`).toBeGreaterThan(2);
        const left = w.grad && (await w.grad.tolist());
        expect(left).toEqual(place !== "last" ? [1, 2] : setToNone ? null : [0, 0]);
      }
    }
  });

  test("can be changed inside the step", async () => {
    const clip = (model: nn.Module) => {
      for (const { grad } of model.parameters()) grad!.clamp_({ min: -0.01, max: 0.01 });
    };
    const { step, model } = example(clip);
    for (let i = 0; i < 6; i++) step(randn([5, 6]), labels(5, i));
    expect(step.counts.replays).toBe(3);
    for (const { grad } of model.parameters()) expect(await grad!.abs().max().item()).toBeLessThanOrEqual(0.01 + 1e-9);
  });
});

describe("results", () => {
  test("stay for one more call, or as long as they are kept", async () => {
    const double = capture((x: Tensor) => x.mul(2));
    const kept: Tensor[] = [];
    let before: Tensor | null = null;
    for (let i = 0; i < 8; i++) {
      const y = double(tensor([i]));
      if (i > 3 && i < 6) kept.push(keep(y));
      if (before) expect(await before.tolist()).toEqual([2 * i - 2]);
      before = y;
    }
    expect(await Promise.all(kept.map((x) => x.item()))).toEqual([8, 10]);
    const old = double(tensor([1]));
    double(tensor([2]));
    double(tensor([3]));
    expect(() => old.add(1)).toThrow(/given back by +a later run of the captured step/);
  });

  test("may be parameters, inputs and views", async () => {
    const w = variable([1, 2]);
    const f = capture((x: Tensor) => ({ w, x: x.slice(0, 1), list: [x.mul(w).slice(0, 1)] }));
    for (let i = 0; i < 5; i++) {
      const { w: same, x, list } = f(tensor([i, i + 1]));
      expect(await same.tolist()).toEqual([1, 2]);
      expect(await x.tolist()).toEqual([i + 1]);
      expect(await list[0]!.tolist()).toEqual([2 * i + 2]);
    }
  });
});

test("inputs may be views of one tensor, strided, or memory that the step works on", async () => {
  const all = randn([8, 3]);
  const dot = capture((a: Tensor, b: Tensor) => a.mul(b).sum());
  for (let i = 0; i < 6; i++) {
    const [a, b] = [all.select(0, i), i % 2 ? all.select(0, i + 1) : all.t().select(1, i + 1)];
    expect(await dot(a, b).item()).toBe(await a.copy().mul(b.copy()).sum().item());
  }
  const w = tensor([1, 2]);
  const grow = capture((x: Tensor) => {
    w.add_(1);
    return w.mul(x);
  });
  for (let i = 0; i < 5; i++) expect(await grow(w).tolist()).toEqual([(i + 1) * (i + 2), (i + 2) * (i + 3)]);
});

describe("what cannot be captured is refused", () => {
  let n = 0;
  const x = () => tensor([1, 2, 3]);
  const cases: [string, (x: Tensor) => unknown, RegExp][] = [
    ["a read", (v) => v.sum().itemSync(), /reads values while it runs[\s\S]*Return the tensor and read it after the step/],
    ["a shape that depends on data", (v) => v.maskedSelectSync(v.gt(1)), /reads values while it runs/],
    ["an asynchronous step", async (v) => v.mul(2), /is asynchronous/],
    ["an input changed in place", (v) => v.add_(1), /changes a tensor it was given in place[\s\S]*argument +0/],
    ["a number that changes", (v) => v.mul(n++), /a number changes from step to step[\s\S]*mul[\s\S]*as a tensor/],
    ["data that changes", (v) => v.mul(tensor([n++, 1, 1])), /data from the host changes[\s\S]*as a tensor/],
    ["draws on the host", (v) => v.add(randperm(3)), /random numbers are drawn on the host/],
  ]; // biome-ignore format: a table
  test.each(cases)("%s", (_, f, message) => {
    const step = capture(f);
    expect(() => {
      for (let i = 0; i < 4; i++) step(x());
    }).toThrow(message);
  });

  test("an exception inside leaves everything usable", async () => {
    let fails = true;
    const w = variable([2]);
    const step = capture((v: Tensor) => {
      const y = v.mul(w);
      if (fails) throw new Error("mine");
      return y;
    });
    expect(() => step(x())).toThrow("mine");
    fails = false;
    for (let i = 0; i < 5; i++) expect(await step(x()).tolist()).toEqual([2, 4, 6]);
  });
});

test("a captured step that nobody can call any more leaves nothing behind", async () => {
  const before = memory().buffers;
  (() => {
    const w = tensor([1, 2]);
    const step = capture((x: Tensor) => x.mul(w).sum(0).add(w));
    for (let i = 0; i < 6; i++) step(tensor([i, 1]));
  })();
  for (let round = 0; round < 10 && memory().buffers > before; round++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve));
  }
  expect(memory().buffers).toBeLessThanOrEqual(before);
});

test("constants made inside are made once; those overwritten are written anew", async () => {
  const f = capture((x: Tensor) =>
    tensor([1, 2])
      .add_(x)
      .add(tensor([10, 20])),
  );
  for (let i = 0; i < 5; i++) expect(await f(tensor([i, i])).tolist()).toEqual([11 + i, 22 + i]);
  expect(f.counts.replays).toBe(3);
});

test("a captured step inside another is part of it", async () => {
  const inner = capture((x: Tensor) => x.mul(2));
  const outer = capture((x: Tensor) => inner(x).add(1));
  for (let i = 0; i < 5; i++) expect(await outer(tensor([i])).tolist()).toEqual([2 * i + 1]);
  expect([inner.counts.recordings, outer.counts.replays]).toEqual([0, 3]);
});

describe("element-wise launches that follow each other are merged", () => {
  const rows: [string, (x: Tensor, y: Tensor) => unknown, number, number][] = [
    ["a chain", (x, y) => x.mul(2).add(y).exp().gt(3), 4, 1],
    ["in place", (x, y) => x.mul(2).add_(y).mul_(0.1), 3, 1],
    ["several results", (x, y) => { const z = x.mul(y); return [z, z.add(1).sin()]; }, 3, 1],
    ["operands that broadcast", (x, y) => x.mul(y.sum()).add(y), 3, 2],
    ["another index space between", (x, y) => x.exp().sum(0).add(1).mul(y.exp()), 5, 4],
    ["random numbers", (x, y) => randn([4, 3]).mul(x).add(nn.dropout(y, 0.5)), 4, 1],
    ["integers and conversions", (x) => x.mul(10).to("int32").floorDivide(3).to("float32").add(0.1), 5, 1],
    ["an operand changed after it was read", (x) => { const z = x.exp(); const a = z.add(1); z.mul_(2); return a.add(z); }, 4, 1],
    ["transposed views", (x) => { const z = x.exp(); return z.t().add(z.t().exp()).mul(2); }, 4, 1],
    ["another order of elements", (x) => { const z = x.exp(); return z.flip(0).add(z); }, 3, 2],
  ]; // biome-ignore format: a table
  test.each(rows)("%s", async (_, f, eager, merged) => {
    const step = capture(f);
    const numbers = (value: unknown) => Promise.all([value].flat().map((x) => (x as Tensor).tolist()));
    for (let i = 0; i < 6; i++) {
      const [x, y] = [randn([4, 3]), randn([4, 3])];
      const state = getRngState();
      backend.reset();
      const expected = f(x, y);
      expect(backend.counts.launches).toBe(eager);
      setRngState(state);
      backend.reset();
      const found = step(x, y);
      if (step.counts.replays > 0) expect(backend.counts.launches).toBe(merged);
      expect(await numbers(found)).toEqual(await numbers(expected));
    }
    expect(step.counts.replays).toBe(4);
  });
});
