import { variable } from "@descent/autograd";
import { SparseTensor, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decodeNumber, loadFixtures } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import * as optim from "./index.ts";

await use(backendUnderTest());
const { Adam, LBFGS, Muon, SGD, SparseAdam } = optim;

type AnyOptimizer = optim.SingleOptimizer<Record<string, unknown>>;
const make = (name: string, params: unknown, options: object = {}): AnyOptimizer =>
  new (optim as unknown as Record<string, new (p: unknown, o: object) => AnyOptimizer>)[name]!(params, options);

const matrix = () => tensor([[1, 2], [3, 4]]); // biome-ignore format: row
const vector = () => tensor([1, 2]);

interface Case {
  readonly optimizer: string;
  readonly options: Record<string, unknown>;
  readonly error: boolean;
}
const decoded = (x: unknown): unknown => (x === "nan" ? decodeNumber(x) : Array.isArray(x) ? x.map(decoded) : x);

describe("what PyTorch refuses, and more", () => {
  const cases = loadFixtures<Case>("optim-errors").map(({ optimizer, options, error }) => {
    const given = Object.fromEntries(Object.entries(options).map(([k, v]) => [k, decoded(v)]));
    // PyTorch takes a NaN as SGD's lr, and no integer as a beta.
    const nan = Object.values(given).some(Number.isNaN);
    return [optimizer, given, nan || (error && String(given.betas) !== "0,0.9")] as const;
  });
  test.each(cases)("%s %o: %s", (name, options, refused) => {
    if (!refused) return void make(name, [matrix()], options);
    const [option] = Object.keys(options);
    expect(() => make(name, [matrix()], options)).toThrow(`${name}: ${option} `);
    // In a group it is refused too, and the group is named.
    if (name !== "LBFGS")
      expect(() => make(name, [{ params: [matrix()] }, { params: [matrix()], ...options }])).toThrow(/group +1/);
    return undefined;
  });

  const infinite =
    "SGD Adam AdamW Adamax Adadelta Adagrad ASGD NAdam RAdam RMSprop Rprop Adafactor Muon LBFGS SparseAdam";
  test.each(infinite.split(" "))("%s: an infinite lr, one that is no number, and one that is edited in", (name) => {
    for (const lr of [Number.POSITIVE_INFINITY, "0.1", null, undefined, {}]) {
      if (lr === undefined) make(name, [matrix()], { lr });
      else expect(() => make(name, [matrix()], { lr })).toThrow(`${name}: lr must be`);
    }
    const p = matrix();
    const optimizer = make(name, [p]);
    const g = matrix();
    p.grad = name === "SparseAdam" ? new SparseTensor(tensor([[0, 1]], { dtype: "int64" }), g, [2, 2]) : g;
    optimizer.step(() => 1);
    const before = [p.tolistSync(), optimizer.state.get(p)?.step];
    optimizer.paramGroups[0]!.lr = Number.NaN;
    expect(() => optimizer.step(() => 1)).toThrow(`${name}.step: lr must be`);
    expect([p.tolistSync(), optimizer.state.get(p)?.step]).toEqual(before);
  });
});

test.each<[string, () => unknown]>([
  ["a misspelt option", () => new Adam([vector()], { weigthDecay: 1 } as never)],
  ["PyTorch's spelling", () => new Adam([vector()], { weight_decay: 1 } as never)],
  ["an option that picks an implementation", () => new Adam([vector()], { foreach: true } as never)],
  ["a misspelt option in a group", () => new Adam([{ params: [vector()], beta: [0, 0] } as never])],
  ["betas out of range", () => new Adam([vector()], { betas: [0.9, 1] })],
  ["nesterov without momentum", () => new SGD([vector()], { nesterov: true })],
  ["a bare tensor", () => new Adam(vector() as never)],
  ["no parameters", () => new Adam([])],
  ["something else than tensors", () => new Adam([vector(), 3] as never)],
  ["half the names", () => new Adam([["w", vector()], vector()] as never)],
  ["a group without parameters", () => new Adam([{ lr: 1 }] as never)],
  ["a set", () => new Adam([{ params: new Set([vector()]) }])],
  ["names in one group only", () => new Adam([{ params: [["w", vector()]] }, { params: [vector()] }] as never)],
  ["twice in a group", () => { const p = vector(); return new Adam([vector(), p, p]); }], // biome-ignore format: row
  ["in two groups", () => { const p = vector(); return new Adam([{ params: [p] }, { params: [vector(), p] }]); }], // biome-ignore format: row
  ["a result", () => new Adam([variable(vector()).mul(2)])],
  ["a result, by name", () => new Adam([["layer.weight", variable(vector()).mul(2)]])],
  ["integers", () => new Adam([tensor([1], { dtype: "int64" })])],
  ["a sparse parameter", () => new Adam([new SparseTensor(tensor([[0]], { dtype: "int64" }), tensor([1]), [3])])],
  ["a tensor lr of two elements", () => new Adam([vector()], { lr: tensor([1, 2]) })],
  ["mixed up booleans", () => new Adam([vector()], { amsgrad: 1 } as never)],
  ["no matrix", () => new Muon([matrix(), vector()])],
  ["two groups", () => new LBFGS([{ params: [vector()] }, { params: [vector()] }])],
  ["two dtypes", () => new LBFGS([vector(), tensor([1], { dtype: "float64" })])],
  ["no closure", () => new LBFGS([vector()]).step()],
])("%s", (_, run) => {
  expect(run).toThrowErrorMatchingSnapshot();
});

describe("gradients", () => {
  const sparse = () => new SparseTensor(tensor([[0]], { dtype: "int64" }), tensor([[1, 2]]), [2, 2]);
  const refused = loadFixtures<Case & { dense?: true }>("optim-sparse-refused");
  test.each(refused.map((c) => [c.optimizer, c] as const))("%s refuses, and changes nothing", (name, c) => {
    const [p, q] = [matrix(), matrix()];
    const optimizer = make(name, [p, q], c.options);
    p.grad = c.dense ? sparse() : matrix();
    q.grad = c.dense ? matrix() : sparse();
    expect(() => optimizer.step()).toThrow(/does not support (sparse|dense) gradients|weightDecay does not go with/);
    expect(p.tolistSync()).toEqual(matrix().tolistSync());
    expect(optimizer.state.get(p)?.step ?? 0).toBe(0);
  });
  test("another dtype", () => {
    const p = vector();
    const optimizer = new Adam([p]);
    p.grad = tensor([1, 2], { dtype: "float64" });
    expect(() => optimizer.step()).toThrowErrorMatchingSnapshot();
  });
  test("freed memory", () => {
    const p = vector();
    const optimizer = new Adam([p]);
    const g = vector();
    p.grad = g;
    g.runtime.memory.release(g.storage.block, "a test");
    expect(() => optimizer.step()).toThrow("Adam: uses a tensor whose memory was given back");
  });
  test("a sparse gradient where the backend cannot read at once", async () => {
    const { readSync: _, ...blind } = await backendUnderTest();
    const on = { backend: { ...blind, name: "blind" } };
    const p = tensor([[1, 2], [3, 4]], on); // biome-ignore format: row
    const optimizer = new SparseAdam([p], { lr: 1 });
    const g = new SparseTensor(tensor([[1]], { ...on, dtype: "int64" }), tensor([[1, 1]], on), [2, 2]);
    p.grad = g;
    expect(() => optimizer.step()).toThrow(/cannot wait/);
    p.grad = await g.coalesced();
    optimizer.step();
    expect(await p.tolist()).toEqual([[1, 2], [expect.closeTo(2), expect.closeTo(3)]]); // biome-ignore format: row
  });
});

test("a failed addParamGroup adds nothing", () => {
  const p: Tensor = vector();
  const optimizer = new SGD([p], { lr: 1 });
  for (const group of [{ params: [p] }, { params: [vector()], lr: -1 }, { params: [vector()], momentun: 1 }])
    expect(() => optimizer.addParamGroup(group)).toThrow();
  expect(optimizer.paramGroups.length).toBe(1);
  const given = { params: [vector()], lr: 3 };
  optimizer.addParamGroup(given);
  expect([optimizer.paramGroups[1]!.lr, optimizer.paramGroups[1]!.momentum]).toEqual([3, 0]);
  expect(Object.keys(given)).toEqual(["params", "lr"]);
  optimizer.defaults.lr = 5;
  optimizer.addParamGroup({ params: vector() });
  expect(optimizer.paramGroups[2]!.lr).toBe(5);
});
