import * as ops from "@descent/tensor";
import { type Backend, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { type Checked, grad, gradcheck, gradgradcheck, variable } from "./index.ts";

let labels: string[] = [];

/** The backend, noting every launch. */
const noting = (inner: Backend): Backend => ({
  ...inner,
  launch(launch) {
    labels.push(launch.label);
    inner.launch(launch);
  },
});

await use(noting(await backendUnderTest()));

/** What `f` launches. */
function launches(f: () => unknown): string[] {
  labels = [];
  f();
  return labels;
}

/** Distinct numbers between −1 and 1, none of them 0 and no two of the same size. */
function ramp(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 50 - 0.995);
  return tensor(data, { dtype: "float64" }).reshape(shape);
}
const index = (...at: number[]): Tensor => tensor(at, { dtype: "int64" });
const square = tensor([[1, 0, 1], [2, 2, 0]], { dtype: "int64" }); // biome-ignore format: a matrix
const holed = (): Tensor => tensor([[0.5, 0, -1.5], [0, 2, 0]], { dtype: "float64" }); // biome-ignore format: a matrix
const mask = tensor([[true, false, true], [false, false, true]]); // biome-ignore format: a matrix
const half = (): Tensor => tensor([0.3, 0.7, 0.1, 0.9], { dtype: "float64" });

/** Every differentiable operation of these families, at least once. */
const cases: readonly (readonly [name: string, fn: Checked, inputs: readonly Tensor[]])[] = [
  ["sum", (x) => x!.sum(), [ramp(2, 3)]],
  ["sum over an axis in front", (x) => x!.sum(0), [ramp(2, 3)]],
  ["mean", (x) => x!.mean([0, 2], { keepDim: true }), [ramp(2, 3, 2)]],
  ["prod", (x) => x!.prod(), [ramp(2, 3)]],
  ["prod over an axis in front", (x) => x!.prod(0), [ramp(3, 2)]],
  ["prod with zeros", (x) => x!.prod(1), [holed()]],
  ["amax", (x) => x!.amax(1), [ramp(2, 3)]],
  ["amin", (x) => x!.amin([0, 1]), [ramp(2, 3)]],
  ["max", (x) => x!.max(), [ramp(2, 3)]],
  ["max along an axis", (x) => x!.max(0).values, [ramp(2, 3)]],
  ["min along an axis", (x) => x!.min(-1, { keepDim: true }).values, [ramp(2, 3)]],
  ["median", (x) => x!.median(), [ramp(5)]],
  ["median along an axis", (x) => x!.median(1).values, [ramp(2, 3)]],
  ["var", (x) => x!.var(1), [ramp(2, 4)]],
  ["std", (x) => x!.std(null, { correction: 0 }), [ramp(2, 3)]],
  ["varMean", (x) => x!.varMean(0), [ramp(3, 2)]],
  ["stdMean", (x) => x!.stdMean(0), [ramp(3, 2)]],
  ...[0.5, 1, 1.5, 2, 3, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(
    (p) => [`norm ${p}`, (x: Tensor) => x.norm(p, 1), [ramp(2, 3)]] as [string, Checked, Tensor[]],
  ),
  ["logsumexp", (x) => x!.logsumexp(1), [ramp(2, 3)]],
  ["softmax", (x) => x!.softmax(0), [ramp(3, 2)]],
  ["logSoftmax", (x) => x!.logSoftmax(-1), [ramp(2, 3)]],
  ["cumsum", (x) => x!.cumsum(0), [ramp(3, 2)]],
  ["cumprod", (x) => x!.cumprod(1), [ramp(2, 3)]],
  ["cumprod with zeros", (x) => x!.cumprod(1), [holed()]],
  ["cummax", (x) => x!.cummax(0).values, [ramp(4)]],
  ["cummin", (x) => x!.cummin(0).values, [ramp(4)]],
  ["reshape", (x) => x!.t().reshape([6]), [ramp(2, 3)]],
  ["permute", (x) => x!.permute([2, 0, 1]), [ramp(2, 1, 3)]],
  ["movedim", (x) => x!.movedim(0, -1), [ramp(2, 1, 3)]],
  ["squeeze", (x) => x!.squeeze().unsqueeze(0), [ramp(2, 1, 3)]],
  ["expand", (x) => x!.expand([2, 3, 2]), [ramp(3, 1)]],
  ["slice", (x) => x!.slice(1, 1, null, 2), [ramp(2, 4)]],
  ["narrow", (x) => x!.narrow(0, 1, 2), [ramp(3, 2)]],
  ["select", (x) => x!.select(1, -1), [ramp(2, 3)]],
  ["diagonal", (x) => x!.diagonal({ offset: 1 }), [ramp(3, 3)]],
  ["diag", (x) => x!.diag(-1), [ramp(2)]],
  ["split", (x) => x!.split([1, 2], 1)[1]!, [ramp(2, 3)]],
  ["unbind", (x) => x!.unbind(0)[1]!, [ramp(2, 3)]],
  ["pad", (x) => x!.pad([1, -1, 0, 2], { value: 3 }), [ramp(2, 3)]],
  ["flip", (x) => x!.flip([0, 1]), [ramp(2, 3)]],
  ["roll", (x) => x!.roll([1, 2], [0, 1]), [ramp(2, 3)]],
  ["repeat", (x) => x!.repeat([2, 1, 2]), [ramp(2, 2)]],
  ["repeatInterleave", (x) => x!.repeatInterleave(2, 0), [ramp(2, 2)]],
  ["tril", (x) => x!.tril(-1), [ramp(3, 3)]],
  ["triu", (x) => x!.triu(), [ramp(2, 3)]],
  ["clone", (x) => x!.clone(), [ramp(2)]],
  ["cat", (a, b) => ops.cat([a!, b!], 1), [ramp(2, 2), half().reshape([2, 2])]],
  ["stack", (a, b) => ops.stack([a!, b!], -1), [ramp(2, 2), half().reshape([2, 2])]],
  ["meshgrid", (a, b) => ops.meshgrid([a!, b!], { indexing: "xy" }), [ramp(2), half()]],
  ["gather", (x) => x!.gather(0, square), [ramp(3, 3)]],
  ["indexSelect", (x) => x!.indexSelect(1, index(2, 0, 2)), [ramp(2, 3)]],
  ["takeAlongDim", (x) => x!.takeAlongDim(index(1, 0).reshape([1, 2]), 1), [ramp(2, 3)]],
  ["embedding", (w) => ops.embedding(square, w!), [ramp(3, 2)]],
  ["scatter", (x, y) => x!.scatter(0, index(2, 0), y!), [ramp(3), half()]],
  ["scatter a number", (x) => x!.scatter(0, index(2, 0), 5), [ramp(3)]],
  ["scatterAdd", (x, y) => x!.scatterAdd(0, index(2, 0, 2, 1), y!), [ramp(3), half()]],
  ["indexAdd", (x, y) => x!.indexAdd(0, index(2, 0, 2, 1), y!, { alpha: 2 }), [ramp(3), half()]],
  ["indexCopy", (x, y) => x!.indexCopy(0, index(2, 0, 3, 1), y!), [ramp(5), half()]],
  ["maskedFill", (x, v) => x!.maskedFill(mask, v!), [ramp(2, 3), tensor(2, { dtype: "float64" })]],
  ["maskedSelect", (x) => x!.maskedSelectSync(mask), [ramp(2, 3)]],
  ["sort", (x) => x!.sort(0, { descending: true }).values, [ramp(3, 2)]],
  ["topk", (x) => x!.topk(2, 1).values, [ramp(2, 3)]],
  ["kthvalue", (x) => x!.kthvalue(2, 0).values, [ramp(3, 2)]],
];

describe("derivatives agree with differences, first and second ones", () => {
  test.each(cases)("%s", async (_, fn, inputs) => {
    await gradcheck(fn, inputs);
    await gradgradcheck(fn, inputs);
  });
});

describe("launches", () => {
  const rows: readonly (readonly [string, (x: Tensor) => Tensor, string[], string[]])[] = [
    ["softmax", (x) => x.softmax(-1), ["softmax"], ["softmaxBackward"]],
    ["softmax over an axis in front", (x) => x.softmax(0), ["softmax"], ["softmaxBackward"]],
    ["logSoftmax", (x) => x.logSoftmax(1), ["logSoftmax"], ["logSoftmaxBackward"]],
    ["sum", (x) => x.sum(1), ["sum"], []],
    ["mean", (x) => x.mean([0, 1]), ["mean"], ["div"]],
    ["amax", (x) => x.amax(0), ["amax"], ["amaxBackward"]],
    ["prod", (x) => x.prod(0), ["prod"], ["prodBackward"]],
    ["var", (x) => x.var(1), ["var"], ["varBackward"]],
    ["std", (x) => x.std(), ["std"], ["stdBackward"]],
    ["norm", (x) => x.norm(), ["norm"], ["normBackward"]],
    ["logsumexp", (x) => x.logsumexp(1), ["logsumexp"], ["logsumexpBackward"]],
    ["cumsum", (x) => x.cumsum(1), ["cumsum"], ["cumsum"]],
    ["views", (x) => x.t().unsqueeze(0).expand([2, 4, 3]).select(0, 1), [], ["copy_", "copy_", "sum"]],
    ["flip", (x) => x.flip(0), ["copy"], ["copy"]],
    ["tril", (x) => x.tril(), ["tril"], ["trilBackward"]],
    ["maskedFill", (x) => x.maskedFill(x.detach().ne(x.detach()), 1), ["ne", "maskedFill"], ["maskedFillBackward"]],
    ["gather", (x) => x.gather(0, square), ["gather"], ["copy_", "spread"]],
  ];
  test.each(rows)("%s", (_, f, forward, backward) => {
    const x = variable(ramp(3, 4));
    let y = x;
    expect(launches(() => (y = f(x)))).toEqual(forward);
    const g = y.onesLike();
    expect(launches(() => grad(y, x, { gradOutputs: [g] }))).toEqual(backward);
  });
});
