import { SparseTensor, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { decode, decodeNumber, expectClose, loadFixtures, type RawNumber, type RawTensor } from "torch-fixtures";
import { describe, expect, test } from "vitest";
import {
  clipGradAdaptive_,
  clipGradNorm_,
  clipGradNormPerGroup_,
  clipGradsWithNorm_,
  clipGradValue_,
  getTotalNorm,
  parametersToVector,
  vectorToParameters,
} from "../index.ts";

await use(backendUnderTest());

interface Case {
  readonly kind: "norm" | "value" | "adaptive" | "vector";
  readonly dtype: "float32" | "float64";
  readonly normType: RawNumber;
  readonly maxNorm: number;
  readonly clipValue: number;
  readonly clipFactor: number;
  readonly grads: readonly RawTensor[];
  readonly total: RawTensor;
  readonly after: readonly RawTensor[];
  readonly param: RawTensor;
  readonly params: readonly RawTensor[];
  readonly vector: RawTensor;
}

const cases = loadFixtures<Case>("optim-clip");
const of = (kind: Case["kind"]) => cases.filter((c) => c.kind === kind);
const made = (raw: RawTensor): Tensor => {
  const { data, dtype, shape } = decode(raw);
  return tensor(data as Float64Array, { dtype }).reshape(shape);
};
const withGrad = (grad: Tensor): Tensor => {
  const p = grad.mul(0);
  p.grad = grad;
  return p;
};
const of1 = (...data: number[]): Tensor => withGrad(tensor(data));
// Sums are added in another order than PyTorch's, and powers are each backend's own: some ulp.
const tolerance = { float32: { rtol: 2e-6, atol: 1e-30 }, float64: { rtol: 1e-14, atol: 1e-300 } };
const lists = (all: readonly Tensor[]) => Promise.all(all.map((x) => x.tolist()));
const close = async (found: Tensor, raw: RawTensor, label: string) =>
  expectClose(await found.data(), decode(raw).data, { ...tolerance[raw.dtype as "float32"], label });

describe("as PyTorch", () => {
  test.each(of("norm").map((c) => [`p ${c.normType}, at most ${c.maxNorm}, ${c.dtype}`, c] as const))(
    "%s",
    async (_, c) => {
      const normType = decodeNumber(c.normType);
      const params = c.grads.map((raw) => withGrad(made(raw)));
      const total = clipGradNorm_(params, c.maxNorm, { normType });
      await close(total, c.total, "total");
      for (const [i, p] of params.entries()) await close(p.grad!, c.after[i]!, `gradient ${i}`);

      const again = c.grads.map((raw) => withGrad(made(raw)));
      const norm = getTotalNorm(
        again.map(({ grad }) => grad!),
        { normType },
      );
      await close(norm, c.total, "total apart");
      clipGradsWithNorm_(again, c.maxNorm, norm);
      for (const [i, p] of again.entries()) await close(p.grad!, c.after[i]!, `gradient ${i} apart`);
    },
  );

  test.each(of("value").map((c) => [`at most ${c.clipValue}, ${c.dtype}`, c] as const))("values %s", async (_, c) => {
    const params = c.grads.map((raw) => withGrad(made(raw)));
    clipGradValue_(params, c.clipValue);
    for (const [i, p] of params.entries()) await close(p.grad!, c.after[i]!, `gradient ${i}`);
  });

  test.each(of("adaptive").map((c) => [`${c.param.shape.join(" × ")}, factor ${c.clipFactor}`, c] as const))(
    "adaptive, as optax: %s",
    async (_, c) => {
      const p = made(c.param);
      p.grad = made((c as unknown as { grad: RawTensor }).grad);
      clipGradAdaptive_([p], { clipFactor: c.clipFactor });
      await close(p.grad, c.after as unknown as RawTensor, "gradient");
    },
  );

  test("parameters as a vector, and back as a copy", async () => {
    const [c] = of("vector") as [Case];
    const params = c.params.map(made);
    const vector = parametersToVector(params);
    expect(await vector.tolist()).toEqual(Array.from(decode(c.vector).data));
    vectorToParameters(vector.mul(2), params);
    expect(await lists(params)).toEqual(await lists(c.params.map((raw) => made(raw).mul(2))));
    vector.fill_(7);
    expect(await params[2]!.tolist()).not.toContain(7);
  });
});

describe("whatever the gradients are like", () => {
  test("transposed, sliced and expanded ones", async () => {
    const transposed = withGrad(tensor([[3, 0, 0], [0, 4, 0]]).transpose(0, 1)); // biome-ignore format: one line
    const sliced = withGrad(tensor([[0, 9], [12, 9]]).select(1, 0)); // biome-ignore format: one line
    const expanded = withGrad(tensor([[0]]).expand([2, 2]));
    expect(await clipGradNorm_([transposed, sliced, expanded], 1.3).item()).toBe(13);
    expectClose(await transposed.grad!.data(), [0.3, 0, 0, 0.4, 0, 0], { atol: 1e-6 });
    expectClose(await sliced.grad!.data(), [0, 1.2], { atol: 1e-6 });
  });

  test("an expanded one gets memory of its own before it is scaled", async () => {
    const one = tensor([1]);
    const p = withGrad(one.expand([4]));
    expect(await clipGradNorm_(p, 1).item()).toBe(2);
    expectClose(await p.grad!.data(), [0.5, 0.5, 0.5, 0.5], { atol: 1e-6 });
    expect(await one.item()).toBe(1);
  });

  test("sparse ones count as what they add up to, and stay sparse", async () => {
    const sparse = () => {
      const p = tensor([[0, 0], [0, 0], [0, 0], [0, 0]]); // biome-ignore format: one line
      const indices = tensor([[2, 0, 2, 2]], { dtype: "int64" });
      p.grad = new SparseTensor(indices, tensor([[1, 0], [4, 0], [1, 0], [1, 0]]), [4, 2]); // biome-ignore format: one line
      return p;
    };
    const dense = (p: Tensor) => (p.grad as SparseTensor).toDense().tolist();
    const [a, b, c] = [sparse(), sparse(), sparse()];
    expect(await clipGradNorm_(a, 100).item()).toBe(5);
    expect(await dense(a)).toEqual(await dense(sparse()));
    clipGradNorm_([b], 2.5);
    expectClose(new Float32Array(((await dense(b)) as number[][]).flat()), [2, 0, 0, 0, 1.5, 0, 0, 0], { atol: 1e-6 });
    clipGradValue_([c], 2);
    expect(await dense(c)).toEqual([[2, 0], [0, 0], [2, 0], [0, 0]]); // biome-ignore format: one line
    expect(await getTotalNorm([sparse().grad!]).item()).toBe(5);
  });

  test("half precision is measured in float32: a norm may exceed what it holds", async () => {
    const p = withGrad(tensor([40000, 40000, 40000], { dtype: "float16" }));
    expect(clipGradNorm_(p, 1e9).dtype).toBe("float32");
    expectClose([await getTotalNorm([p.grad!]).item()], [40000 * Math.sqrt(3)], { rtol: 1e-6 });
  });

  test("a parameter that is named twice is scaled once", async () => {
    const p = of1(6, 8);
    expect(await clipGradNorm_([p, p], 5).item()).toBe(10);
    expectClose(await p.grad!.data(), [3, 4], { atol: 1e-5 });
  });

  test("a gradient that two parameters share is measured twice and scaled once", async () => {
    const [p, q] = [of1(0, 0), of1(0, 0)];
    p.grad = q.grad = tensor([3, 4]);
    expectClose([await clipGradNorm_([p, q], Math.sqrt(12.5)).item()], [Math.sqrt(50)], { rtol: 1e-6 });
    expectClose(await p.grad.data(), [1.5, 2], { rtol: 1e-5 });
  });

  test("none at all: the norm is 0", async () => {
    expect(await clipGradNorm_([tensor([1])], 1).item()).toBe(0);
    expect(await clipGradNorm_([tensor([])], 1).item()).toBe(0);
  });

  test("0 axes, adaptively", async () => {
    const p = tensor(2);
    p.grad = tensor(5);
    clipGradAdaptive_([p], { clipFactor: 0.5 });
    expectClose(await p.grad.data(), [1], { atol: 1e-6 });
  });
});

describe("by group", () => {
  const groups = () => [{ params: [of1(3, 4), of1(0)] }, { params: [of1(0.6, 0.8)], paramNames: ["bias"] }];
  test("each has its own norm and limit", async () => {
    const paramGroups = groups();
    const totals = clipGradNormPerGroup_({ paramGroups }, 1);
    expectClose((await lists(totals)) as number[], [5, 1], { rtol: 1e-6 });
    expectClose(await paramGroups[0]!.params[0]!.grad!.data(), [0.6, 0.8], { rtol: 1e-5 });
    clipGradNormPerGroup_({ paramGroups }, [10, 0.5]);
    expectClose(await paramGroups[1]!.params[0]!.grad!.data(), [0.3, 0.4], { rtol: 1e-5 });
  });

  test("names the group and the parameter", async () => {
    const paramGroups = groups();
    paramGroups[1]!.params[0]!.grad = tensor([Number.NaN, 1]);
    const clipped = clipGradNormPerGroup_({ paramGroups }, 1, { errorIfNonfinite: true });
    await expect(clipped).rejects.toThrow("bias (NaN)");
  });
});

describe("errorIfNonfinite", () => {
  test("gives the norm where it is finite, as a promise", async () => {
    const p = of1(3, 4);
    const total = await clipGradNorm_([p], 1, { errorIfNonfinite: true });
    expect(await total.item()).toBe(5);
    expectClose(await p.grad!.data(), [0.6, 0.8], { rtol: 1e-5 });
  });

  test("names what is to blame and changes nothing", async () => {
    const named: [string, Tensor][] = [
      ["hidden.weight", of1(Number.NaN, 1)],
      ["hidden.bias", of1(1, 2)],
      ["scores.weight", of1(Number.POSITIVE_INFINITY, 3)],
    ];
    await expect(clipGradNorm_(named, 1, { errorIfNonfinite: true })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [DescentError: clipGradNorm_: the total norm of the gradients is not finite
        total norm NaN
        gradients  hidden.weight (NaN), scores.weight (infinity)
      No gradient was changed.]
    `);
    expect(await lists(named.map(([, p]) => p.grad!))).toEqual([[Number.NaN, 1], [1, 2], [Number.POSITIVE_INFINITY, 3]]); // biome-ignore format: one line
  });

  test("says so when no gradient is to blame", async () => {
    const p = of1(3e30, 3e30);
    await expect(clipGradNorm_(p, 1, { errorIfNonfinite: true })).rejects.toThrow("all finite");
    const norm = await clipGradNorm_(p, 1, { errorIfNonfinite: true, normType: Number.POSITIVE_INFINITY });
    expectClose([await norm.item()], [3e30], { rtol: 1e-6 });
  });

  test("getTotalNorm too", async () => {
    const bad = [tensor([1]), tensor([Number.NaN])];
    await expect(getTotalNorm(bad, { errorIfNonfinite: true })).rejects.toThrow("tensor 1 (NaN)");
  });
});

describe("bad input", () => {
  const p = () => [of1(1)];
  const sparse = tensor([[0]]);
  sparse.grad = new SparseTensor(tensor([[0]], { dtype: "int64" }), tensor([[1]]), [1, 1]);
  const bad: [string, () => unknown][] = [
    ["a negative norm", () => clipGradNorm_(p(), -1)],
    ["a norm of NaN", () => clipGradsWithNorm_(p(), Number.NaN, 1)],
    ["an order of NaN", () => clipGradNorm_(p(), 1, { normType: Number.NaN })],
    ["an unknown option", () => clipGradNorm_(p(), 1, { normtype: 1 } as object)],
    ["an iterator that has been read", () => clipGradNorm_([], 1)],
    ["something else than parameters", () => clipGradNorm_([3] as never, 1)],
    ["a total of another kind", () => clipGradsWithNorm_(p(), 1, tensor([1, 2]))],
    ["no tensors", () => getTotalNorm([])],
    ["a negative value", () => clipGradValue_(p(), -1)],
    ["limits that do not fit the groups", () => clipGradNormPerGroup_({ paramGroups: [{ params: p() }] }, [1, 2])],
    ["a negative factor", () => clipGradAdaptive_(p(), { clipFactor: -1 })],
    ["a sparse gradient, adaptively", () => clipGradAdaptive_([sparse])],
    ["an empty list as a vector", () => parametersToVector([])],
    ["a vector that is too long", () => vectorToParameters(tensor([1, 2, 3]), [tensor([1, 2])])],
    ["a vector that is too short", () => vectorToParameters(tensor([1]), [tensor([1, 2])])],
  ];
  test("parameters of different dtypes", () => {
    const mixed = () => parametersToVector([tensor([1]), tensor([1], { dtype: "float64" })]);
    expect(mixed).toThrow("parametersToVector: the parameters differ in dtype or backend\n  first float32 on ");
  });
  test.each(bad)("%s", async (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});
