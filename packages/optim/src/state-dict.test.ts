import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { Adam, AdamW, RMSprop, Rprop, SGD, type StateDict } from "./index.ts";

await use(backendUnderTest());
const param = (...data: number[]): Tensor => {
  const p = tensor(data);
  p.runtime.memory.hold(p.storage.block);
  return p;
};
const stepWith = (optimizer: { parameters: Tensor[]; step(): unknown }, value: number) => {
  for (const p of optimizer.parameters) p.grad = tensor(Array.from(p.dataSync(), (_, i) => value + i));
  optimizer.step();
};
const trained = (params: Tensor[] | [string, Tensor][] = [param(1, 2), param(3)]) => {
  const optimizer = new Adam(params as Tensor[], { lr: 0.1, amsgrad: true });
  stepWith(optimizer, 1);
  return optimizer;
};

test("PyTorch's shape and spelling", () => {
  const { state, param_groups } = trained().stateDict();
  expect(Object.keys(state)).toEqual(["0", "1"]);
  expect(Object.keys(state[0] as object)).toEqual(["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]);
  expect((state[0] as { step: number }).step).toBe(1);
  expect(param_groups).toEqual([
    {
      lr: 0.1,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weight_decay: 0,
      amsgrad: true,
      decoupled_weight_decay: false,
      maximize: false,
      differentiable: false,
      foreach: null,
      capturable: false,
      fused: null,
      params: [0, 1],
    },
  ]);
});

test("loading copies: source and target go their own ways", () => {
  const source = trained();
  const saved = source.stateDict();
  const before = (saved.state[0] as { exp_avg: Tensor }).exp_avg.tolistSync();
  const target = new Adam([param(1, 2), param(3)]);
  target.loadStateDict(saved);
  stepWith(target, 5);
  expect((saved.state[0] as { exp_avg: Tensor }).exp_avg.tolistSync()).toEqual(before);
  expect(target.paramGroups[0]!.lr).toBe(0.1);
  target.paramGroups[0]!.lr = 7;
  expect(saved.param_groups[0]!.lr).toBe(0.1);
});

test("a twin that loads goes on alike", () => {
  const a = trained();
  const b = new Adam(a.parameters.map((p) => param(...p.dataSync())));
  b.loadStateDict(a.stateDict());
  for (let i = 0; i < 5; i++) for (const one of [a, b]) stepWith(one, i);
  expect(b.parameters.map((p) => p.tolistSync())).toEqual(a.parameters.map((p) => p.tolistSync()));
});

test("values that are no tensors stay as they are, and integers stay integers", () => {
  const target = new Adam([param(1, 2)]);
  const exp_avg = tensor([1, 2]);
  const own = {
    step: 3,
    exp_avg,
    exp_avg_sq: exp_avg,
    note: "hello",
    list: [1, "two"],
    count: tensor([4], { dtype: "int64" }),
  };
  target.loadStateDict({ state: { 0: own, other: 42 }, param_groups: [{ lr: 1, params: [0], custom: "kept" }] });
  const state = target.state.get(target.parameters[0]!)!;
  expect([state.note, state.list, (state.count as Tensor).dtype]).toEqual(["hello", [1, "two"], "int64"]);
  const again = target.stateDict();
  expect([again.state.other, again.param_groups[0]!.custom]).toEqual([42, "kept"]);
});

describe("older states", () => {
  const newer = ["maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay", "amsgrad"];
  test.each([Adam, AdamW, SGD, RMSprop, Rprop])("%o loads without newer keys", (Class) => {
    const a = new Class([param(1, 2)], {});
    stepWith(a, 1);
    const { state, param_groups } = a.stateDict();
    const old = param_groups.map((g) => Object.fromEntries(Object.entries(g).filter(([k]) => !newer.includes(k))));
    const b = new Class([param(1, 2)], {});
    b.loadStateDict({ state, param_groups: old });
    stepWith(b, 1);
  });
  test("Adam takes decoupled decay from a state, AdamW is always decoupled", () => {
    const [adam, adamW] = [new Adam([param(1)]), new AdamW([param(1)])];
    const [fromAdam, fromAdamW] = [adam.stateDict(), adamW.stateDict()];
    adam.loadStateDict(fromAdamW);
    adamW.loadStateDict(fromAdam);
    expect([adam, adamW].map((o) => o.paramGroups[0]!.decoupledWeightDecay)).toEqual([true, true]);
    expect([adam, adamW].map((o) => o.paramGroups[0]!.weightDecay)).toEqual([0.01, 0]);
  });
  test("a step that is a tensor is a number here", () => {
    const sd = trained([param(1)]).stateDict();
    const own = { ...(sd.state[0] as object), step: tensor(7) };
    const b = new Adam([param(1)]);
    b.loadStateDict({ ...sd, state: { 0: own } });
    expect(b.state.get(b.parameters[0]!)!.step).toBe(7);
  });
});

describe("by name", () => {
  const named = (...names: string[]) => names.map((name) => [name, param(1, 2)] as [string, Tensor]);
  const means = (o: Adam) => o.parameters.map((p) => (o.state.get(p)?.exp_avg as Tensor | undefined)?.tolistSync());

  test("order does not matter", () => {
    const a = new Adam(named("x", "y"));
    a.parameters[0]!.grad = tensor([1, 1]);
    a.parameters[1]!.grad = tensor([2, 2]);
    a.step();
    const b = new Adam(named("y", "x"));
    b.loadStateDict(a.stateDict(), { match: "name" });
    expect(means(b)).toEqual(means(a).reverse());
    expect(b.paramGroups[0]!.paramNames).toEqual(["x", "y"].reverse());
  });
  test("what is missing, unexpected or mis-shaped is listed, and left alone on request", () => {
    const sd = trained(named("x", "y", "z")).stateDict();
    const b = new Adam([["x", param(1, 2)], ["y", param(1)], ["new", param(1)]]); // biome-ignore format: rows
    expect(() => b.loadStateDict(sd, { match: "name" })).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: Adam.loadStateDict: the parameter names differ
        missing    [new]
        unexpected [z]
      Pass { match: "name", partial: true } to load what fits.]
    `);
    expect(() =>
      b.loadStateDict(
        { ...sd, param_groups: [{ ...sd.param_groups[0], param_names: ["x", "y", "new"] }] },
        { match: "name" },
      ),
    ).toThrowErrorMatchingInlineSnapshot(`
      [DescentError: Adam.loadStateDict: saved state does not fit its parameter
        does not fit [y: exp_avg has shape [2] instead of [1], new: exp_avg has shape [2] instead of [1]]
      Was it saved by another optimizer, or for another model?]
    `);
    b.loadStateDict(sd, { match: "name", partial: true });
    expect(means(b).map((m) => m !== undefined)).toEqual([true, false, false]);
  });
  test.each([
    ["unnamed parameters", () => new Adam([param(1)]), trained(named("x")).stateDict()],
    ["an unnamed state", () => new Adam(named("x")), trained([param(1)]).stateDict()],
  ])("%s cannot be matched", (_, make, sd) => {
    expect(() => make().loadStateDict(sd, { match: "name" })).toThrow(/no (parameter )?names/);
  });
});

describe("what does not fit is refused, and nothing is changed", () => {
  const good = trained().stateDict();
  const group = good.param_groups[0]!;
  const own = good.state[0] as Record<string, unknown>;
  const cases: [string, unknown, RegExp][] = [
    ["nothing", undefined, /this is no state of an optimizer/],
    ["another object", { weights: 1 }, /this is no state of an optimizer/],
    ["groups that are none", { state: {}, param_groups: [1] }, /this is no state of an optimizer/],
    ["more groups", { ...good, param_groups: [group, group] }, /the number of parameter groups differs/],
    [
      "fewer parameters",
      { ...good, param_groups: [{ ...group, params: [0] }] },
      /group 0 has another number of parameters/,
    ],
    [
      "another optimizer's state",
      { ...good, state: { 0: { momentum_buffer: tensor([1, 2]) } } },
      /has no exp_avg, exp_avg_sq/,
    ],
    [
      "another shape",
      { ...good, state: { 0: { ...own, exp_avg: tensor([1, 2, 3]) } } },
      /exp_avg has shape \[3\] instead of \[2\]/,
    ],
    ["a step that is no number", { ...good, state: { 0: { ...own, step: "seven" } } }, /has no step/],
    ["a negative lr", { ...good, param_groups: [{ ...group, lr: -1 }] }, /lr must be a finite number of at least 0/],
    ["a NaN", { ...good, param_groups: [{ ...group, eps: Number.NaN }] }, /eps must be a finite number/],
    ["no lr", { ...good, param_groups: [{ params: [0, 1] }] }, /a saved group has no lr/],
  ];
  test.each(cases)("%s", (_, sd, message) => {
    const target = trained();
    const before = JSON.stringify([target.toString(), target.parameters.map((p) => target.state.get(p)!.step)]);
    const buffers = target.parameters.map((p) => target.state.get(p)!.exp_avg);
    expect(() => target.loadStateDict(sd as StateDict)).toThrow(message);
    expect(JSON.stringify([target.toString(), target.parameters.map((p) => target.state.get(p)!.step)])).toBe(before);
    expect(target.parameters.map((p) => target.state.get(p)!.exp_avg)).toEqual(buffers);
  });
  test("an unknown way to match", () => {
    expect(() => trained().loadStateDict(good, { match: "shape" } as never)).toThrow('match is "position" or "name"');
    expect(() => trained().loadStateDict(good, { mach: "name" } as never)).toThrow('Did you mean "match"?');
  });
});

describe("hooks", () => {
  test("saving: before, and after with replacement", () => {
    const a = trained();
    const calls: string[] = [];
    a.registerStateDictPreHook(() => calls.push("pre") as never);
    const replace = a.registerStateDictPostHook((_, sd) => ({ ...sd, extra: 1 }) as never);
    expect(a.stateDict()).toHaveProperty("extra", 1);
    replace.remove();
    expect(a.stateDict()).not.toHaveProperty("extra");
    expect(calls).toEqual(["pre", "pre"]);
  });
  test("loading: edits and replacements stay inside, prepend comes first", () => {
    const a = trained();
    const sd = a.stateDict();
    const order: string[] = [];
    a.registerLoadStateDictPreHook((_, d) => {
      order.push("second");
      (d.param_groups[0] as { lr: number }).lr = 3;
      return undefined;
    });
    a.registerLoadStateDictPreHook(
      (_, d) => {
        order.push("first");
        return { ...d, param_groups: d.param_groups.map((g) => ({ ...g, lr: 2 })) };
      },
      { prepend: true },
    );
    a.registerLoadStateDictPostHook(() => order.push("post") as never);
    a.loadStateDict(sd);
    expect([order, a.paramGroups[0]!.lr, sd.param_groups[0]!.lr]).toEqual([["first", "second", "post"], 2, 0.1]);
  });
});
