import { isDescentError, keep, memory, randn, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest, leavesNothing } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { customFunction, enableGrad, grad, isGradEnabled, noGrad, valueAndGrad, variable } from "./index.ts";

await use(await backendUnderTest());
leavesNothing(memory);

const numbers = (...tensors: (Tensor | null | undefined)[]) => Promise.all(tensors.map((x) => (x ? x.tolist() : null)));
const pair = () => variable([1, 2]);

describe("backward", () => {
  test("accumulates, in place, into what .grad holds", async () => {
    const x = pair();
    const loss = () => x.square().sum();
    loss().backward();
    const first = x.grad!;
    loss().backward();
    expect(x.grad).toBe(first);
    expect(await numbers(first)).toEqual([[4, 8]]);
    x.grad = tensor([10, 10]);
    loss().backward();
    expect(await numbers(x.grad)).toEqual([[12, 14]]);
    x.grad = null;
    loss().backward();
    expect(await numbers(x.grad, first)).toEqual([[2, 4], [4, 8]]); // biome-ignore format: two gradients
  });

  test("gives no two tensors one gradient, and not the caller's", async () => {
    const [a, b] = [pair(), pair()];
    const seed = tensor([1, 1]);
    a.add(b).backward(seed);
    a.grad!.mul_(5);
    expect(await numbers(a.grad, b.grad, seed)).toEqual([[5, 5], [1, 1], [1, 1]]); // biome-ignore format: three tensors
  });

  test("with a gradient, again with retainGraph, and recorded with createGraph", async () => {
    const x = pair();
    const y = x.mul(x);
    y.backward(tensor([1, 10]), { retainGraph: true });
    y.backward(tensor([1, 10]));
    expect(await numbers(x.grad)).toEqual([[4, 80]]);
    x.grad = null;
    x.mul(x).mul(x).sum().backward(null, { createGraph: true });
    const first = x.grad as unknown as Tensor;
    expect(await numbers(first, ...grad(first.sum(), x))).toEqual([[3, 12], [6, 12]]); // biome-ignore format: two orders
  });

  test("frees what only the graph held", () => {
    const x = keep(variable(randn([1000])));
    const before = memory().bytes;
    let held: WeakRef<Tensor> | null = null;
    const loss = (() => {
      const middle = x.exp();
      held = new WeakRef(middle);
      return middle.sin().sum();
    })();
    loss.backward();
    (globalThis as { gc?: () => void }).gc?.();
    expect(loss.requiresGrad).toBe(true);
    return new Promise((resolve) => setTimeout(resolve)).then(() => {
      (globalThis as { gc?: () => void }).gc?.();
      expect(held?.deref()).toBe(undefined);
      expect(memory().bytes - before).toBeGreaterThanOrEqual(4000); // the gradient
    });
  });

  test("of one tensor used twice, of a leaf itself, and of an input given twice", async () => {
    const x = pair();
    const y = x.mul(2);
    expect(await numbers(...grad(y.mul(y).sum(), [x, x, y]))).toEqual([[8, 16], [8, 16], [4, 8]]); // biome-ignore format: three gradients
    const leaf = variable(3);
    leaf.backward();
    expect(await numbers(leaf.grad, ...grad(leaf, leaf))).toEqual([1, 1]);
  });
});

describe("changes in place", () => {
  test("are part of the graph where nothing needs the value before", async () => {
    const x = pair();
    const y = x.mul(3);
    y.add_(1).mul_(x);
    y.sum().backward();
    expect(await numbers(y, x.grad)).toEqual([[4, 14], [7, 13]]); // biome-ignore format: value and gradient
  });

  test("in noGrad leave the history alone", async () => {
    const x = pair();
    noGrad(() => x.add_(1));
    x.square().sum().backward();
    expect(await numbers(x, x.grad)).toEqual([[2, 3], [4, 6]]); // biome-ignore format: value and gradient
  });

  test("of values that nothing needs are no error, nor are those before the use", async () => {
    const x = pair();
    const y = x.mul(2);
    const z = y.add(1); // needs no value of y
    y.detach().zero_();
    z.sum().backward();
    expect(await numbers(x.grad)).toEqual([[2, 2]]);
  });
});

test("hooks run in order on the complete gradient, in every pass, until they are removed", async () => {
  const x = pair();
  const seen: string[] = [];
  const y = x.mul(2);
  const first = y.registerHook((g) => {
    seen.push("first");
    return g.mul(10);
  });
  y.registerHook(() => void seen.push("second"));
  y.add(y).sum().backward(null, { retainGraph: true });
  expect(await numbers(x.grad)).toEqual([[40, 40]]);
  first.remove();
  first.remove();
  grad(y.sum(), x);
  expect(seen).toEqual(["first", "second", "second"]);
});

test("retainGrad fills .grad of what is no leaf; others stay without", async () => {
  const x = pair();
  const [y, z] = [x.mul(2), x.mul(3)];
  y.retainGrad();
  y.add(z).sum().backward();
  expect([x.isLeaf, y.isLeaf, x.detach().isLeaf]).toEqual([true, false, true]);
  expect(await numbers(y.grad, z.grad)).toEqual([[1, 1], null]);
});

test("detach shares memory and forgets history", async () => {
  const x = pair();
  const d = x.mul(2).detach();
  expect(d.requiresGrad).toBe(false);
  x.mul(d).sum().backward();
  expect(await numbers(x.grad)).toEqual([[2, 4]]);
  noGrad(() => x.detach().fill_(7));
  expect(await numbers(x)).toEqual([[7, 7]]);
});

describe("recording", () => {
  const x = () => variable(1);
  test("nests, and is restored by exceptions", () => {
    const leaf = x();
    const on = () => [isGradEnabled(), leaf.mul(2).requiresGrad];
    expect(noGrad(() => [...on(), ...enableGrad(() => [...on(), ...noGrad(on)]), ...on()])).toEqual(
      [false, false, true, true, false, false, false, false],
    ); // biome-ignore format: a row
    expect(() => noGrad(() => { throw new Error("mine"); })).toThrow("mine"); // biome-ignore format: short
    expect(on()).toEqual([true, true]);
  });

  test("of an async function lasts until it settles, in whatever order several do", async () => {
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const body = (ms: number) => async () => {
      await wait(ms);
      return isGradEnabled();
    };
    expect(await Promise.all([noGrad(body(8)), noGrad(body(2)), noGrad(body(5))])).toEqual([false, false, false]);
    expect(isGradEnabled()).toBe(true);
    const failing = noGrad(async () => {
      await wait(1);
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(isGradEnabled()).toBe(true);
  });
});

describe("misuse", () => {
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      if (isDescentError(error)) return error.message;
      throw error;
    }
    return "no error";
  };
  const twice = () => {
    const y = pair().exp().sum();
    y.backward();
    y.backward();
  };
  const overwritten = () => {
    const y = pair().mul(1);
    const z = y.exp();
    z.mul_(2).add_(1); // exp needs its own result
    z.sum().backward();
  };
  const input = () => {
    const y = pair().mul(1);
    const z = y.square();
    y.add_(1);
    z.sum().backward();
  };
  const extra = customFunction({ name: "extra", forward: (_, v: Tensor) => v.mul(1), backward: (_, g) => [g, g] });
  const bent = customFunction({ name: "bent", forward: (_, v: Tensor) => v.mul(1), backward: (_, g) => g!.sum() });
  test.each<[string, () => unknown, string]>([
    ["twice", twice, "backward: the graph was freed by an earlier backward pass\n  operation sum\nPass { retainGraph: true } to the earlier one."],
    ["no scalar", () => pair().mul(2).backward(), "backward: the tensor has more than one element\n  shape [2]\nReduce it first, for example with mean(), or pass backward(gradient)."],
    ["a gradient of another shape", () => pair().mul(2).backward(tensor([1])), "backward: the gradient has another shape than the tensor\n  gradient [1]\n  tensor   [2]"],
    ["no variable", () => tensor(1).backward(), "backward: this tensor depends on no variable\n  shape []\nMake the inputs with variable(…) or nn.Parameter, outside noGrad."],
    ["a value changed in place", input, "backward: a value needed for the derivative was changed in place\n  operation     square\n  shape         [2]\n  changes since 1\nUse the form without underscore, or clone() first."],
    ["a leaf changed in place", () => pair().add_(1), "add_: a leaf that needs a gradient is changed in place\n  shape [2]\nDo it inside noGrad(() => …), as optimizers do."],
    ["a view changed in place", () => pair().mul(1).slice(0, 1).zero_(), "fill_: a view of a differentiable tensor is changed in place\n  shape [1]\nUse the form without underscore, or clone() first."],
    ["an unused input", () => grad(pair().sum(), [pair()]), "grad: the outputs do not depend on an input\n  input 0\nPass { allowUnused: true } to get null for it."],
    ["an input that is no variable", () => grad(pair().sum(), [tensor([1])]), "grad: an input needs no gradient\n  input 0\n  shape [1]\nMake it with variable(…)."],
    ["an output that depends on nothing", () => grad(tensor(1), pair()), "grad: an output depends on no variable\n  output 0\n  shape  []\nCompute it outside noGrad, from a variable."],
    ["integers", () => variable([1], { dtype: "int64" }), 'variable: only floating point tensors have gradients\n  dtype int64\nPass { dtype: "float32" }.'],
    ["a .grad of another shape", () => { pair().grad = tensor([1, 2, 3]); }, "grad: the gradient has another shape than its tensor\n  gradient [3]\n  tensor   [2]"],
    ["valueAndGrad of several elements", () => valueAndGrad((v: Tensor) => v)(tensor([1, 2])), "backward: the tensor has more than one element"],
    ["a custom function with too many gradients", () => extra(pair()).sum().backward(), "extra: backward gave more gradients than there are arguments\n  arguments 1\n  gradients 2"],
    ["a custom function with a gradient of another shape", () => bent(pair()).sum().backward(), "bent: backward gave a gradient of another shape than the argument\n  argument 0\n  shape    [2]\n  gradient []"],
  ])("%s", (_, f, expected) => {
    expect(message(f)).toContain(expected);
  }); // biome-ignore format: a table of messages

  test("a result that its own derivative needs, changed in place, is never wrong silently", () => {
    expect(["no error", "backward: a value needed"].some((start) => message(overwritten).startsWith(start))).toBe(true);
    const x = pair();
    const y = x.exp();
    y.mul_(2).add_(1);
    const found = message(() => y.sum().backward());
    if (found === "no error")
      return numbers(x.grad).then(([g]) =>
        expect(g).toEqual([2 * Math.fround(Math.E), expect.closeTo(2 * Math.E ** 2, 5)]),
      );
    expect(found).toMatch("changed in place");
  });
});
