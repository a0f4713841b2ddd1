import * as nn from "@descent/nn";
import { capture, manualSeed, randn, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeEach, describe, expect, test } from "vitest";
import { AdamW, LBFGS, Muon, Optimizer, paramGroups, partition, registerOptimizerStepPreHook, SGD, SparseAdam } from "../index.ts"; // biome-ignore format: one line

await use(backendUnderTest());
beforeEach(() => void manualSeed(3));

const network = () => {
  manualSeed(3);
  return new nn.Sequential(new nn.Linear(4, 6), new nn.LayerNorm(6), new nn.ReLU(), new nn.Linear(6, 2));
};
const matrices = (_: string, p: Tensor) => (p.ndim === 2 ? "matrices" : "rest");
const parts = {
  matrices: (p: (readonly [string, Tensor])[]) => new Muon(p, { lr: 0.02 }),
  rest: (p: (readonly [string, Tensor])[]) => new AdamW(p, { lr: 0.01 }),
};
const routed = (model: nn.Module) => partition(model, parts, matrices);

/** Fills gradients, the same for every model of one shape. */
function fill(params: readonly Tensor[], step: number): void {
  params.forEach((p, i) => {
    p.grad = tensor(Float32Array.from({ length: p.size }, (_, k) => Math.sin(i + 3 * k + step))).reshape(p.shape);
  });
}
const values = (params: readonly Tensor[]) => Promise.all(params.map((p) => p.tolist()));

describe("partition", () => {
  test("steps as its parts by themselves", async () => {
    const [a, b] = [network(), network()];
    const whole = routed(a);
    const named = b.namedParameters();
    const alone = [
      new Muon(named.filter(([n, p]) => matrices(n, p) === "matrices"), { lr: 0.02 }),
      new AdamW(named.filter(([n, p]) => matrices(n, p) === "rest"), { lr: 0.01 }),
    ]; // biome-ignore format: rows
    for (let step = 0; step < 4; step++) {
      for (const model of [a, b]) fill(model.parameters(), step);
      whole.step();
      for (const optimizer of alone) optimizer.step();
    }
    expect(await values(a.parameters())).toEqual(await values(b.parameters()));
    expect(whole).toBeInstanceOf(Optimizer);
    expect(whole.state.size).toBe(6);
    whole.zeroGrad();
    expect(a.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  test("groups are live: schedules and edits reach the parts", () => {
    const optimizer = routed(network());
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.02, 0.01]);
    for (const group of optimizer.paramGroups) group.lr *= 0.5;
    expect(Object.values(optimizer.parts).map((part) => (part.paramGroups[0] as unknown as { lr: number }).lr)).toEqual(
      [0.01, 0.005],
    );
    optimizer.addParamGroup({ part: "rest", params: [["extra", tensor([1])]], lr: 7 });
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.01, 0.005, 7]);
    expect(String(optimizer)).toMatch(/^Partition \(\nParameter Group 0\n[\s\S]*part: matrices, by Muon\n/);
  });

  test("hooks of the whole are around those of the parts; the closure runs once", () => {
    const order: string[] = [];
    const optimizer = routed(network());
    const everywhere = registerOptimizerStepPreHook(({ name }) => void order.push(`all ${name}`));
    optimizer.registerStepPreHook(() => void order.push("pre"));
    optimizer.registerStepPostHook(() => void order.push("post"));
    optimizer.parts.rest!.registerStepPreHook(() => void order.push("pre rest"));
    optimizer.parts.rest!.registerStepPostHook(() => void order.push("post rest"));
    expect(optimizer.step(() => order.push("closure"))).toBe(3);
    everywhere.remove();
    expect(order).toEqual(["all Partition", "pre", "closure", "pre rest", "post rest", "post"]);
  });

  test.each(["position", "name"] as const)("saved and loaded by %s, or cloned, it goes on alike", async (match) => {
    const [a, b] = [network(), network()];
    const first = routed(a);
    fill(a.parameters(), 1);
    first.step();
    b.loadStateDict(a.stateDict());
    const sd = first.stateDict();
    expect(sd.param_groups.map(({ part, params }) => [part, params])).toEqual([["matrices", [0, 1]], ["rest", [2, 3, 4, 5]]]); // biome-ignore format: one line
    const again = match === "name" ? routed(b) : first.clone(routed(b).parameters);
    if (match === "name") again.loadStateDict(sd, { match });
    for (const model of [a, b]) fill(model.parameters(), 2);
    first.step();
    again.step();
    expect(await values(b.parameters())).toEqual(await values(a.parameters()));
  });

  test("a state that fits one part only changes nothing", async () => {
    const model = network();
    const optimizer = routed(model);
    fill(model.parameters(), 1);
    optimizer.step();
    const sd = optimizer.stateDict();
    const broken = {
      ...sd,
      param_groups: sd.param_groups.map((g) => (g.part === "rest" ? { ...g, eps: -1 } : { ...g, lr: 9 })),
    };
    expect(() => optimizer.loadStateDict(broken)).toThrow("AdamW.loadStateDict: eps must be");
    expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual([0.02, 0.01]);
    const foreign = new SGD(model.parameters()).stateDict();
    expect(() => optimizer.loadStateDict(foreign)).toThrow("Partition.loadStateDict: the parts differ");
  });

  test("an option edited into nonsense is found before any part steps", async () => {
    const model = network();
    const optimizer = routed(model);
    fill(model.parameters(), 1);
    const before = await values(model.parameters());
    optimizer.paramGroups[1]!.lr = Number.NaN;
    expect(() => optimizer.step()).toThrow("AdamW.step: lr must be");
    expect(await values(model.parameters())).toEqual(before);
  });

  test("a captured step replays", async () => {
    const [a, b] = [network(), network()];
    const run = (model: nn.Module) => {
      const optimizer = routed(model);
      return (x: Tensor) => {
        optimizer.zeroGrad();
        const loss = (model.forward(x) as Tensor).square().sum();
        loss.backward();
        optimizer.step();
        return loss;
      };
    };
    const [eager, captured] = [run(a), capture(run(b))];
    for (let i = 0; i < 5; i++) {
      const x = randn([3, 4]);
      expect(await captured(x).item()).toBe(await eager(x).item());
    }
    captured.dispose();
  });

  test.each<[string, () => unknown, string]>([
    ["an unknown label", () => partition(network(), parts, () => "matrix"), "a parameter is labelled with no part"],
    ["no names", () => partition(network().parameters() as never, parts, matrices), "takes a model, or parameters with names"],
    ["a part with a closure", () => partition(network(), { all: (p) => new LBFGS(p) }, () => "all"), "a part evaluates the loss itself"],
    ["a parameter in two parts", () => { const m = network(); const all = () => new SGD(m.namedParameters()); return partition(m, { matrices: all, rest: all }, matrices); }, "a parameter appears twice"],
    ["a group without a part", () => routed(network()).addParamGroup({ params: [tensor([1])] }), "a group names no part"],
    ["a vector for Muon", () => partition(network(), parts, () => "matrices"), "Muon: a parameter is no matrix"],
  ])("%s is refused", (_, run, message) => expect(run).toThrow(message)); // biome-ignore format: a table
});

describe("paramGroups", () => {
  const shape = (groups: ReturnType<typeof paramGroups>) =>
    groups.map(({ params, ...options }) => [params.map(([name]) => name), options]);
  test.each<[string, Parameters<typeof paramGroups>[1], unknown]>([
    ["vectors have no decay by default", {}, [[["0.weight", "3.weight"], {}], [["0.bias", "1.weight", "1.bias", "3.bias"], { weightDecay: 0 }]]],
    ["patterns", { noDecay: [/bias$/] }, [[["0.weight", "1.weight", "3.weight"], {}], [["0.bias", "1.bias", "3.bias"], { weightDecay: 0 }]]],
    ["last parts of names, and sticky patterns", { noDecay: ["bias", /^1\./g] }, [[["0.weight", "3.weight"], {}], [["0.bias", "1.weight", "1.bias", "3.bias"], { weightDecay: 0 }]]],
    ["overrides", { noDecay: [], overrides: [{ match: /^3/, lr: 1 }, { match: (_, p) => p.ndim === 2, lr: 2 }] }, [[["0.weight"], { lr: 2 }], [["0.bias", "1.weight", "1.bias"], {}], [["3.weight", "3.bias"], { lr: 1 }]]],
  ])("%s", (_, options, expected) => expect(shape(paramGroups(network(), options))).toEqual(expected)); // biome-ignore format: a table

  test("they are what an optimizer takes", () => {
    const optimizer = new AdamW(paramGroups(network(), { noDecay: [/bias/] }), { weightDecay: 0.1 });
    expect(optimizer.paramGroups.map(({ weightDecay, paramNames }) => [weightDecay, paramNames!.length])).toEqual([[0.1, 3], [0, 3]]); // biome-ignore format: one line
  });
  test.each<[string, () => unknown, RegExp]>([
    ["a match of nothing", () => paramGroups(network(), { noDecay: [/nrom/] }), /a match picks no parameter[\s\S]*nrom[\s\S]*0\.weight/],
    ["an unknown option", () => paramGroups(network(), { nodecay: [] } as never), /Did you mean "noDecay"/],
    ["parameters without names", () => paramGroups([tensor([1])] as never), /takes a model, or parameters with names/],
    ["something else", () => paramGroups(3 as never), /takes a model, or parameters with names/],
  ])("%s is refused", (_, run, message) => expect(run).toThrow(message)); // biome-ignore format: a table
});

test("a sparse embedding beside dense layers", async () => {
  const table = new nn.Embedding(50, 3, { sparse: true });
  const linear = new nn.Linear(3, 1);
  const all = [...table.namedParameters({ prefix: "table" }), ...linear.namedParameters({ prefix: "linear" })];
  const optimizer = partition(
    all,
    { table: (p) => new SparseAdam(p, { lr: 0.1 }), rest: (p) => new SGD(p, { lr: 0.1 }) },
    (name) => (name.startsWith("table") ? "table" : "rest"),
  );
  const before = (await table.weight.tolist()) as number[][];
  const loss = linear.forward(table.forward(tensor([1, 2], { dtype: "int64" }))).square().sum(); // biome-ignore format: one line
  loss.backward();
  optimizer.step();
  const after = (await table.weight.tolist()) as number[][];
  expect(after.flatMap((row, i) => (String(row) === String(before[i]) ? [] : [i]))).toEqual([1, 2]);
});
