import { memory, randn, type Tensor, tensor, uniform_, use } from "@descent/tensor";
import { backendUnderTest, leavesNothing } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { checkpoint, grad, gradcheck, gradgradcheck, noGrad, variable } from "./index.ts";

await use(await backendUnderTest());
leavesNothing(memory);

const numbers = (...tensors: (Tensor | null)[]) => Promise.all(tensors.map((x) => x?.tolist() ?? null));

describe("a checkpointed function gives what the function gives", () => {
  const w = () => variable([0.5, -1, 2]);
  type Block = (w: Tensor) => (x: Tensor) => Tensor;
  const blocks: [string, Block][] = [
    ["of its argument and a variable", (w) => (x) => x.mul(w).exp()],
    ["of random numbers", (w) => (x) => x.mul(uniform_(x.detach().copy())).mul(w).tanh()],
    ["that gives its argument back", () => (x) => x],
    ["that ignores its argument", (w) => () => w.mul(w)],
  ];
  test.each(blocks)("%s", async (_, block) => {
    const run = async (wrap: boolean) => {
      const { manualSeed } = await import("@descent/tensor");
      manualSeed(3);
      const [factor, x] = [w(), variable([1, 2, 3])];
      const f = wrap ? checkpoint(block(factor)) : block(factor);
      const y = x.mul(2); // the function is in the middle: the pass goes on beyond it
      const loss = f(y).mul(y).sum();
      loss.backward();
      return numbers(loss, x.grad, factor.grad, randn([2]));
    };
    expect(await run(true)).toEqual(await run(false));
  });
});

test("derivatives of any order", async () => {
  const x = tensor([0.5, -1, 2], { dtype: "float64" });
  const f = checkpoint((a: Tensor, b: Tensor) => a.mul(b).exp().mul(a));
  await gradcheck((a, b) => f(a!, b!).mul(a!), [x, x.add(1)]);
  await gradgradcheck((a, b) => f(a!, b!).mul(a!), [x, x.add(1)]);
});

test("several results, arguments that are no tensors, hooks called once, grad() with respect to what is inside or outside", async () => {
  const x = variable([1, 2]);
  const seen: unknown[] = [];
  x.registerHook((g) => void seen.push(g.tolistSync?.()));
  const f = checkpoint((a: Tensor, factor: number) => [a.mul(factor), a.gt(1), a.square()]);
  const [tripled, large, square] = f(x, 3) as [Tensor, Tensor, Tensor];
  expect(await numbers(tripled, large, square)).toEqual([[3, 6], [false, true], [1, 4]]); // biome-ignore format: three results
  tripled.add(square).sum().backward();
  expect(await x.grad!.tolist()).toEqual([5, 7]);
  expect(seen).toHaveLength(1);
  const y = f(x, 2)[0]!;
  expect(await numbers(...grad(y.sum(), x))).toEqual([[2, 2]]);
  expect(noGrad(() => f(x, 2)[0]!.requiresGrad)).toBe(false);
});

test("what is computed inside is not kept, and not left behind by the backward pass", () => {
  const x = variable(new Float32Array(1000));
  const deep = (v: Tensor) => {
    let y = v;
    for (let i = 0; i < 10; i++) y = y.sin();
    return y;
  };
  const bytes = (f: (v: Tensor) => Tensor): number => {
    const before = memory().bytes;
    const y = f(x);
    const after = memory().bytes - before;
    y.sum().backward();
    return after;
  };
  expect(bytes(deep)).toBe(40_000);
  expect(bytes(checkpoint(deep))).toBe(4_000);
  expect(memory().peakBytes).toBeGreaterThan(40_000);
});

test("an argument changed in place meanwhile is noticed", () => {
  const x = variable([1, 2]).mul(1);
  const y = checkpoint((v: Tensor) => v.square())(x);
  x.detach().add_(1);
  expect(() => y.sum().backward()).toThrow("a value needed for the derivative was changed in place");
});
