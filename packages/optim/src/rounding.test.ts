import { type DType, keep, manualSeed, Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decodeData, expectClose, gradientAt, loadFixtures, type Trajectory } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import * as optim from "./index.ts";
import { Adam, Rprop, SGD } from "./index.ts";

await use(backendUnderTest());
const narrow: readonly DType[] = ["bfloat16", "float16"];
/** The distance from 1 to the number after it. */
const epsilon: Partial<Record<DType, number>> = { bfloat16: 2 ** -7, float16: 2 ** -10 };
const made = (data: number[] | Float32Array, dtype: DType) => keep(tensor(data, { dtype }));

describe.each(narrow)("%s", (dtype) => {
  const size = 2000;
  /** 1 minus a hundred steps of a tenth of what the dtype can tell from 1. */
  const descend = async (rounding: "nearest" | "stochastic" | "kahan") => {
    const p = made(new Float32Array(size).fill(1), dtype);
    const optimizer = new SGD([p], { lr: epsilon[dtype]! / 10, rounding });
    for (let step = 0; step < 100; step++) {
      p.grad = tensor(new Float32Array(size).fill(1), { dtype });
      optimizer.step();
    }
    const data = [...(await p.data())];
    return { data, mean: data.reduce((a, b) => a + b, 0) / size, state: optimizer.state.get(p) };
  };
  const expected = 1 - 10 * epsilon[dtype]!;

  test("nearest, as PyTorch: small updates are lost", async () => expect((await descend("nearest")).mean).toBe(1));
  test("stochastic: they count on average, and the seed decides", async () => {
    manualSeed(5);
    const first = await descend("stochastic");
    // A sum of at most 100 roundings of variance below ¼ unit², averaged over 2000 elements: six standard deviations.
    expect(Math.abs(first.mean - expected)).toBeLessThan((6 * 5 * epsilon[dtype]!) / Math.sqrt(size));
    manualSeed(5);
    expect((await descend("stochastic")).data).toEqual(first.data);
    expect((await descend("stochastic")).data).not.toEqual(first.data);
    expect(first.state).toBeUndefined();
  });
  test("kahan: they add up", async () => {
    const { data, state } = await descend("kahan");
    for (const x of data) expect(Math.abs(x - expected)).toBeLessThanOrEqual(epsilon[dtype]! / 2);
    expect(state!.compensation).toBeInstanceOf(Tensor);
  });

  const awkward = [0, 1, -1, 1.5, 2 ** -14, -(2 ** -20), 3 * 2 ** -10, 40000, -65504 + (dtype === "bfloat16" ? 480 : 0), Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]; // biome-ignore format: one line
  test.each(["stochastic", "kahan"] as const)("%s: what needs no rounding stays as it is", async (rounding) => {
    const p = made(awkward, dtype);
    const before = await p.tolist();
    const optimizer = new SGD([p], { lr: 1, rounding });
    for (let step = 0; step < 3; step++) {
      p.grad = tensor(awkward.map(() => 0), { dtype }); // biome-ignore format: one line
      optimizer.step();
    }
    expect(await p.tolist()).toEqual(before);
    if (rounding === "kahan")
      expect(await (optimizer.state.get(p)!.compensation as Tensor).tolist()).toEqual(awkward.map(() => 0));
  });

  test("kahan follows float32, also saved and loaded, with state in another dtype", async () => {
    const [p, wide] = [made([1, -0.5, 0.02], dtype), made([1, -0.5, 0.02], dtype).to("float32")];
    keep(wide);
    let optimizer = new Adam([p], { lr: 1e-4, eps: 1e-4, rounding: "kahan", stateDtype: "float32" });
    const reference = new Adam([wide], { lr: 1e-4, eps: 1e-4 });
    for (let step = 1; step <= 200; step++) {
      const g = [Math.fround(Math.sin(step)), 0.25, -0.5];
      p.grad = tensor(g, { dtype });
      wide.grad = p.grad.to("float32");
      optimizer.step();
      reference.step();
      if (step !== 100) continue;
      const again = new Adam([p]);
      again.loadStateDict(optimizer.stateDict());
      optimizer = again;
    }
    const state = optimizer.state.get(p)!;
    expect([(state.exp_avg as Tensor).dtype, optimizer.paramGroups[0]!.rounding]).toEqual(["float32", "kahan"]);
    const [found, expected] = [await p.data(), await wide.data()];
    // Half a unit of the stored parameter.
    for (const [i, x] of found.entries()) expect(Math.abs(x - expected[i]!)).toBeLessThan(0.6 * epsilon[dtype]! * Math.abs(expected[i]!)); // biome-ignore format: one line
  });
});

test("parameters of float32 are not concerned", async () => {
  const run = async (rounding: "nearest" | "stochastic" | "kahan") => {
    const p = made([1, 2], "float32");
    const optimizer = new Adam([p], { rounding });
    p.grad = tensor([0.1, 0.2]);
    optimizer.step();
    expect(Object.keys(optimizer.state.get(p)!)).toEqual(["step", "exp_avg", "exp_avg_sq"]);
    return p.tolist();
  };
  expect(await run("stochastic")).toEqual(await run("nearest"));
  expect(await run("kahan")).toEqual(await run("nearest"));
});

test.each<[string, () => unknown, string]>([
  ["another word", () => new SGD([made([1], "float32")], { rounding: "up" as never }), 'rounding must be "nearest" or "stochastic" or "kahan"'],
  ["with differentiable steps", () => new Rprop([made([1], "float32")], { rounding: "kahan", differentiable: true }).step(), "rounding does not go with differentiable"],
])("%s is refused", (_, run, message) => expect(run).toThrow(message)); // biome-ignore format: a table

describe("ten steps, near PyTorch, which rounds after every operation", () => {
  const cases = loadFixtures<Trajectory>("optim-half").map((t) => [`${t.optimizer} ${t.dtype}`, t] as const);
  test.each(cases)("%s", async (_, t) => {
    const dtype = t.dtype as DType;
    const params = t.params.map((raw) => keep(tensor(decodeData(raw.dtype, raw.data) as Float32Array, { dtype }).reshape(raw.shape))); // biome-ignore format: one line
    const Class = (optim as unknown as Record<string, new (p: Tensor[], o: object) => { step(): void }>)[t.optimizer]!;
    const optimizer = new Class(params, t.options);
    const lr = (t.options.lr as number | undefined) ?? 0.01;
    for (let step = 1; step <= 10; step++) {
      params.forEach((p, i) => {
        p.grad = tensor(gradientAt(t, i, step)!, { dtype }).reshape(p.shape);
      });
      optimizer.step();
      const snapshot = t.snapshots.find((s) => s.step === step);
      if (!snapshot) continue;
      for (const [i, p] of params.entries()) {
        // A few units of the parameter, and a share of the way gone: moments are rounded too.
        const tolerance = { rtol: 3 * epsilon[dtype]!, atol: 0.2 * lr * step };
        expectClose(await p.data(), decodeData(t.dtype, snapshot.params[i]!), { ...tolerance, label: `step ${step}` });
      }
    }
  });
});
