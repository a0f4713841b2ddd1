import { variable } from "@descent/autograd";
import { counted } from "@descent/backend";
import { type Backend, SparseTensor, Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, under } from "backend-under-test";
import { loadFixtures, ulpDiff } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import * as optim from "./index.ts";

/** Properties that PyTorch tests are named by their numbers in tools/docs/optimizers/pytorch-tests.md, which lists all of them. */
await use(backendUnderTest());

type AnyOptimizer = optim.SingleOptimizer<Record<string, unknown>>;
const make = (name: string, params: unknown, options: object = {}): AnyOptimizer =>
  new (optim as unknown as Record<string, new (p: unknown, o: object) => AnyOptimizer>)[name]!(params, options);

const elementwise = "SGD Adam AdamW Adamax Adadelta Adagrad ASGD NAdam RAdam RMSprop Rprop".split(" ");
const dense = [...elementwise, "Adafactor", "Muon"];
const all = [...dense, "SparseAdam", "LBFGS"];
const maximizing = [...elementwise, "Adafactor"];

const held = (p: Tensor): Tensor => {
  p.runtime.memory.hold(p.storage.block);
  return p;
};
const random = (rows: number, columns: number, seed: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => Math.sin(seed + 7 * i + 3 * j)));

/** Loss Σ(W·x + b)², of a 10 × 5 matrix; W is a strided view where asked. */
function problem(strided: boolean) {
  const size = strided ? [10, 10] : [10, 5];
  const base = tensor(random(size[0]!, size[1]!, 1));
  const weight = variable(strided ? base.slice(1, 0, 10, 2) : base);
  held(weight);
  const bias = variable(random(1, 10, 2)[0]!.map((x) => x));
  const input = held(tensor(random(5, 1, 3)));
  const loss = () => weight.matmul(input).reshape([10]).add(bias).square().sum();
  return { weight, bias, loss };
}

describe.each([false, true])("goes in the right direction (strided: %s) [3]", (strided) => {
  const cases = [...dense, "LBFGS"].flatMap((name) => [
    [name, false] as const,
    ...(maximizing.includes(name) ? [[name, true] as const] : []),
  ]);
  test.each(cases)("%s, maximize: %s", (name, maximize) => {
    const { weight, bias, loss } = problem(strided);
    const matrices = name === "Muon";
    const optimizer = make(name, matrices ? [weight] : [weight, bias], maximize ? { maximize } : {});
    const first = loss().itemSync();
    for (let i = 0; i < 20; i++) {
      optimizer.step(() => {
        optimizer.zeroGrad();
        const l = loss();
        l.backward();
        return l;
      });
      optimizer.paramGroups[0]!.lr = (optimizer.paramGroups[0]!.lr as number) * 0.99;
    }
    const last = loss().itemSync();
    if (maximize) expect(last).toBeGreaterThan(first);
    else expect(last).toBeLessThan(first);
  });
});

test.each(dense)(
  "%s: a second group has its own lr [5], weight decay [19], and lr 0 leaves a group alone [20]",
  (name) => {
    const { weight, bias, loss } = problem(false);
    const second = name === "Muon" ? variable(random(2, 2, 4)) : bias;
    const frozen = name === "Rprop" ? null : 0;
    const options = { params: [second], ...(frozen === 0 && { lr: 0 }) };
    const optimizer = make(name, [{ params: [weight] }, options]);
    const before = second.tolistSync();
    const first = loss().itemSync();
    for (let i = 0; i < 10; i++) {
      optimizer.zeroGrad();
      loss().backward();
      second.grad ??= tensor(random(2, 2, 5));
      optimizer.step();
    }
    expect(loss().itemSync()).toBeLessThan(first);
    if (frozen === 0) expect(second.tolistSync()).toEqual(before);
  },
);

test.each(elementwise.filter((name) => name !== "Rprop" && name !== "ASGD"))("%s: lr as a tensor is lr [6]", (name) => {
  const run = (lr: number | Tensor) => {
    const p = held(tensor([1, -2, 3], { dtype: "float64" }));
    const optimizer = make(name, [p], { lr });
    for (let t = 1; t <= 5; t++) {
      p.grad = tensor([0.1 * t, -0.2, 0.3], { dtype: "float64" });
      optimizer.step();
    }
    return p.dataSync();
  };
  const expected = run(0.01);
  for (const shape of [[], [1], [1, 1]]) {
    const found = run(tensor(0.01, { dtype: "float64" }).reshape(shape));
    for (const [i, x] of found.entries()) expect(ulpDiff(x, expected[i]!)).toBeLessThan(8);
  }
});

test.each(["SGD", "Adagrad", "SparseAdam"])("%s finds Rosenbrock's minimum by sparse gradients [7]", (name) => {
  const run = (sparse: boolean) => {
    const p = held(tensor([1.5, 1.5], { dtype: "float64" }));
    const options = { SGD: { lr: 4.8e-3 }, Adagrad: { lr: 0.1 }, SparseAdam: { lr: 4e-2 } }[name]!;
    const optimizer = make(name, [p], options);
    for (let i = 0; i < 400; i++) {
      const [x, y] = p.dataSync() as unknown as [number, number];
      const g = i % 2 ? [0, 200 * (y - x * x)] : [-400 * x * (y - x * x) - 2 * (1 - x), 0];
      // Uncoalesced: half of each entry, twice.
      const at = tensor([[i % 2, i % 2]], { dtype: "int64" });
      const half = tensor([g[i % 2]! / 2, g[i % 2]! / 2], { dtype: "float64" });
      p.grad = sparse ? new SparseTensor(at, half, [2]) : tensor(g, { dtype: "float64" });
      optimizer.step();
    }
    return p.dataSync();
  };
  const value = ([x = 0, y = 0]: ArrayLike<number> & Iterable<number>) => (1 - x) ** 2 + 100 * (y - x * x) ** 2;
  const found = run(true);
  expect(value(found)).toBeLessThan(value([1.5, 1.5]) / 10);
  if (name !== "SparseAdam") for (const [i, x] of run(false).entries()) expect(found[i]).toBeCloseTo(x, 6);
});

test.each(dense)("%s: without gradients a step does nothing [21]", (name) => {
  const p = held(tensor([[1, 2], [3, 4]])); // biome-ignore format: row
  const optimizer = make(name, [p]);
  optimizer.step();
  expect(p.tolistSync()).toEqual([[1, 2], [3, 4]]); // biome-ignore format: row
  expect(Object.keys(optimizer.stateDict().state)).toEqual(name === "Adagrad" ? ["0"] : []);
});

test.each(dense.filter((name) => name !== "ASGD"))("%s: zero gradients leave parameters alone [22]", (name) => {
  const p = held(tensor([[1, 2], [3, 4]])); // biome-ignore format: row
  const decay = ["AdamW", "Muon"].includes(name) ? { weightDecay: 0 } : {};
  const optimizer = make(name, [p], decay);
  for (let i = 0; i < 3; i++) {
    p.grad = tensor([[0, 0], [0, 0]]); // biome-ignore format: row
    optimizer.step();
  }
  expect(p.tolistSync()).toEqual([[1, 2], [3, 4]]); // biome-ignore format: row
});

interface Defaults {
  readonly optimizer: string;
  readonly defaults: Record<string, unknown>;
  readonly paramGroups: Record<string, unknown>[];
}
const own = ["stateDtype", "rounding"];
const without = (x: object, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(x).filter(([key]) => !keys.includes(key)));

test.each(
  loadFixtures<Defaults>("optim-defaults")
    .filter((c) => c.defaults)
    .map((c) => [c.optimizer, c] as const),
)("%s: defaults, saved groups and printing [23]", (name, c) => {
  const optimizer = make(name, [tensor([[1, 2], [3, 4]])]); // biome-ignore format: row
  const implementation = ["foreach", "capturable", "fused"];
  expect(without(optimizer.defaults, own)).toEqual(without(c.defaults, implementation));
  expect(optimizer.stateDict().param_groups).toEqual(c.paramGroups);
  const lines = Object.entries(optimizer.defaults).map(
    ([k, v]) => `    ${k}: ${Array.isArray(v) ? `[${v.map(String).join(", ")}]` : v}\n`,
  );
  expect(String(optimizer)).toBe(`${name} (\nParameter Group 0\n${lines.sort().join("")})`);
});

test("step hooks run in order, may change the closure, and can be removed [36-38]", () => {
  const order: string[] = [];
  const optimizer = make("SGD", [held(tensor([1]))]);
  const handles = [
    optim.registerOptimizerStepPostHook(() => order.push("global post") as never),
    optim.registerOptimizerStepPreHook(() => order.push("global pre") && undefined),
    optimizer.registerStepPostHook(() => order.push("post") as never),
    optimizer.registerStepPreHook(() => order.push("pre") && undefined),
  ];
  optimizer.step(() => order.push("closure"));
  expect(order).toEqual(["global pre", "pre", "closure", "post", "global post"]);
  const replace = optimizer.registerStepPreHook(() => [() => "another"]);
  expect(optimizer.step(() => "one" as string)).toBe("another");
  replace.remove();
  for (const handle of handles) handle.remove();
  order.length = 0;
  optimizer.step();
  expect(order).toEqual([]);
  optimizer.registerStepPreHook(() => "nonsense");
  expect(() => optimizer.step()).toThrow("SGD.step: a hook returned no arguments");
});

test.each(all)("%s: a copy has the state, and goes on alike [39]", (name) => {
  const p = held(tensor([[1, 2], [3, 4]])); // biome-ignore format: row
  const optimizer = make(name, [p], { lr: 0.01 });
  const grad = (q: Tensor) => {
    const g = tensor(random(2, 2, 1));
    q.grad = name === "SparseAdam" ? new SparseTensor(tensor([[0, 1]], { dtype: "int64" }), g, [2, 2]) : g;
    return 1;
  };
  const step = (o: AnyOptimizer, q: Tensor) => o.step(() => grad(q));
  step(optimizer, p);
  const q = held(p.copy());
  const copy = optimizer.clone([q]);
  expect(copy).toBeInstanceOf(optimizer.constructor);
  expect([copy.paramGroups[0]!.lr, copy.defaults]).toEqual([0.01, optimizer.defaults]);
  for (let i = 0; i < 2; i++) for (const [o, x] of [[optimizer, p], [copy, q]] as const) step(o, x); // biome-ignore format: row
  expect(q.tolistSync()).toEqual(p.tolistSync());
});

test.each(dense)(
  "%s: state is made by a step [43], gradients are never written to [45], steps are counted [46]",
  (name) => {
    const p = held(tensor([[1, 2], [3, 4]])); // biome-ignore format: row
    const options = maximizing.includes(name) && name !== "Rprop" ? { weightDecay: 0.1, maximize: true } : {};
    const optimizer = make(name, [p], { ...options, ...(name === "SGD" && { momentum: 0.9, nesterov: true }) });
    const g = tensor(random(2, 2, 1));
    const before = g.tolistSync();
    p.grad = g;
    for (let i = 0; i < 3; i++) optimizer.step();
    expect(g.tolistSync()).toEqual(before);
    const state = optimizer.state.get(p)!;
    expect(Object.keys(state).length).toBeGreaterThan(0);
    if ("step" in state) expect(state.step).toBe(3);
    for (const value of Object.values(state)) if (value instanceof Tensor) expect(value.storage.block.holds).toBe(1);
  },
);

test("centered RMSprop stays finite where PyTorch's does not", () => {
  const p = held(tensor(new Float32Array(200)));
  const optimizer = make("RMSprop", [p], { centered: true });
  p.grad = tensor(Float32Array.from({ length: 200 }, (_, i) => Math.abs(Math.sin(i + 1))));
  for (let i = 0; i < 2000; i++) optimizer.step();
  expect(p.dataSync().every(Number.isFinite)).toBe(true);
});

test("Muon keeps the momentum of bfloat16 parameters", () => {
  const p = held(tensor([[1, 2], [3, 4]], { dtype: "bfloat16" })); // biome-ignore format: row
  const optimizer = make("Muon", [p], { nesterov: false });
  p.grad = tensor([[3, 3], [3, 3]], { dtype: "bfloat16" }); // biome-ignore format: row
  optimizer.step();
  const [first] = (optimizer.state.get(p)!.momentum_buffer as Tensor).dataSync();
  expect(first).toBeCloseTo(0.15, 3);
});

test("zeroGrad clears, or fills with zeros in place", () => {
  const p = held(tensor([1, 2]));
  const optimizer = make("SGD", [p]);
  const g = tensor([3, 4]);
  p.grad = g;
  optimizer.zeroGrad({ setToNone: false });
  expect([p.grad === g, g.tolistSync()]).toEqual([true, [0, 0]]);
  optimizer.zeroGrad();
  expect(p.grad).toBeNull();
});

describe("counted", async () => {
  const backend = await backendUnderTest();
  /** The backend, but one that counts. */
  function counting() {
    const counts = { launches: 0, compiles: 0, allocations: 0, submits: 0 };
    const count = <A extends unknown[], R>(what: keyof typeof counts, f: (...args: A) => R) => {
      return (...args: A): R => {
        counts[what]++;
        return f(...args);
      };
    };
    const launch = count("launches", backend.launch);
    const counted: Backend = {
      ...backend,
      alloc: count("allocations", backend.alloc),
      compile: count("compiles", backend.compile),
      launch,
      submit: count("submits", (launches) => launches.forEach(launch)),
    };
    return { counted, counts };
  }
  const many = under.speed ? 1000 : 100;
  const cases = elementwise.flatMap((name) => [1, 20, many].map((n) => [name, n] as const));
  test.each(cases)(
    "%s over %d parameters: a launch each, one hand-over, nothing compiled or allocated later",
    (name, n) => {
      const { counted, counts } = counting();
      const params = Array.from({ length: n }, () => held(tensor([1, 2, 3], { backend: counted })));
      const grads = Array.from({ length: n }, (_, i) => tensor([i, 1, -1], { backend: counted }));
      const optimizer = make(name, params, { lr: 0.01, ...(name === "SGD" && { momentum: 0.9 }) });
      for (let step = 1; step <= 8; step++) {
        params.forEach((p, i) => {
          p.grad = grads[i]!;
        });
        optimizer.paramGroups[0]!.lr = 0.01 / step;
        Object.assign(counts, { launches: 0, compiles: 0, allocations: 0, submits: 0 });
        optimizer.step();
        if (step > 1) expect(counts).toEqual({ launches: n, compiles: 0, allocations: 0, submits: 1 });
      }
    },
  );

  test.each([1, many])("a step over %d parameters is one hand-over", (n) => {
    const own = counted(backend);
    const params = Array.from({ length: n }, () => held(tensor([1, 2, 3], { backend: own })));
    const optimizer = make("Adam", params);
    for (let step = 0; step < 3; step++) {
      for (const p of params) p.grad = tensor([1, 2, 3], { backend: own });
      own.reset();
      optimizer.step();
      // A backend that has no hand-over of whole lists is asked for every launch.
      if (step > 0) expect([own.counts.launches, own.counts.submits]).toEqual([n, own.submit ? 1 : 0]);
    }
  });

  test("sparse steps cost what they touch", () => {
    for (const name of ["SGD", "Adagrad", "SparseAdam"]) {
      const { counted } = counting();
      let largest = 0;
      const watched: Backend = {
        ...counted,
        launch: (launch) => {
          largest = Math.max(largest, launch.shape.reduce((a, b) => a * b, 1)); // biome-ignore format: one line
          counted.launch(launch);
        },
      };
      const p = held(tensor(new Float32Array(100_000), { backend: watched }).reshape([10_000, 10]));
      const optimizer = make(name, [p]);
      for (let i = 0; i < 3; i++) {
        const at = tensor([[5, 70, 5]], { dtype: "int64", backend: watched });
        p.grad = new SparseTensor(at, tensor(random(3, 10, i), { backend: watched }), [10_000, 10]);
        if (i > 0) largest = 0;
        optimizer.step();
      }
      expect(largest).toBeLessThanOrEqual(30);
    }
  });
});
