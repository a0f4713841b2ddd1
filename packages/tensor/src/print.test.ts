import { inspect } from "node:util";
import { backendUnderTest } from "backend-under-test";
import { decode, loadFixtures, type RawTensor } from "torch-fixtures";
import { beforeAll, expect, test } from "vitest";
import { type Backend, type DType, dispose, SparseTensor, type Tensor, tensor, use } from "./index.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await use(backendUnderTest());
});

interface Large {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly fill?: number | boolean;
  readonly rampOver?: number;
}
/** A large tensor is described in the case itself. */
interface PrintCase extends Large {
  readonly tensor?: RawTensor;
  readonly text: string;
  readonly requiresGrad?: true;
  readonly gradFn?: string;
  readonly parameter?: true;
}

function build(raw: RawTensor | Large): Tensor {
  const { shape } = raw;
  const size = shape.reduce((a, b) => a * b, 1);
  const value = (i: number) => ("rampOver" in raw ? i / (raw.rampOver as number) : Number((raw as Large).fill));
  const data = "data" in raw ? [...decode(raw).data] : Array.from({ length: size }, (_, i) => value(i));
  return tensor(data, { dtype: raw.dtype }).reshape(shape);
}

// Differentiable ones are printed in autograd and nn.
const cases = loadFixtures<PrintCase>("printing").filter((c) => !(c.requiresGrad || c.gradFn || c.parameter));
test.each(cases.map((c, i) => [`${i} ${c.text.split("\n")[0]}`, c] as const))("%s", async (_, c) => {
  expect(await build(c.tensor ?? c).text()).toBe(c.text);
});

/** Texts are Python's: numbers halfway between two go to the even digit. */
test.each([
  [[0.03125, 0.09375], "tensor([0.0312, 0.0938])"],
  [[-0.03125, 1], "tensor([-0.0312,  1.0000])"],
  [[100005, 0.5], "tensor([1.0000e+05, 5.0000e-01])"],
  [[100015, 0.5], "tensor([1.0002e+05, 5.0000e-01])"],
])("halves: %j", async (data, text) => {
  expect(await tensor(data).text()).toBe(text);
});

test("console.log, and string templates", async () => {
  const x = tensor([[1, 2], [3, 4]]).t(); // biome-ignore format: rows
  const text = await x.text();
  expect(text).toBe("tensor([[1., 3.],\n        [2., 4.]])");
  const shown = backend.readSync ? text : "tensor(..., size=(2, 2))";
  expect([`${x}`, inspect(x), inspect({ x })]).toEqual([shown, shown, `{\n  x: ${shown.replaceAll("\n", "\n  ")}\n}`]);
});

test("sparse", () => {
  const x = new SparseTensor(tensor([[0, 2]], { dtype: "int64" }), tensor([1, 2]), [3]);
  const [indices, values] = backend.readSync
    ? ["tensor([[0, 2]])", "tensor([1., 2.])"]
    : ["tensor(..., size=(1, 2), dtype=torch.int64)", "tensor(..., size=(2,))"];
  expect(String(x)).toBe(
    `tensor(indices=${indices},\n       values=${values},\n       size=(3,), nnz=2, layout=torch.sparse_coo)`,
  );
});

test("what cannot be read is shown without elements, and never throws", () => {
  const x = tensor([1, 2], { dtype: "float64" });
  dispose(x);
  expect(String(x)).toBe("tensor(given back, size=(2,), dtype=torch.float64)");
});
