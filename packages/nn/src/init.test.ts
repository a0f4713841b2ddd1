import { empty, type Tensor, use } from "@descent/tensor";
import { backendUnderTest, under } from "backend-under-test";
import { loadFixtures, type RawTensor } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import * as nn from "./index.ts";
import * as init from "./init.ts";
import { expectLike } from "./testing/fixture.ts";
import { message } from "./testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

interface InitCase {
  readonly kind: string;
  readonly shape: readonly number[];
  readonly nonlinearity: string;
  readonly param: number | null;
  readonly value: number | RawTensor;
  readonly fanIn: number;
  readonly fanOut: number;
  readonly gain: number;
  readonly mode: "fanIn" | "fanOut";
  readonly a: number;
  readonly bound: number;
  readonly std: number;
  readonly groups: number;
  readonly error?: true;
  readonly module: string;
  readonly options: Readonly<Record<string, number>>;
  readonly uniformBound?: number;
}

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** `shape` many times over, so that a sample tells its distribution, with the fans kept. */
async function sample(fill: (t: Tensor) => Tensor, shape: readonly number[]): Promise<number[]> {
  const count = Math.ceil(4000 / shape.reduce((product, extent) => product * extent, 1));
  const filled = Array.from({ length: count }, () => fill(empty(shape)).data());
  return (await Promise.all(filled)).flatMap((values) => Array.from(values));
}
const deviation = (values: readonly number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

function expectUniform(values: readonly number[], bound: number): void {
  const largest = Math.max(...values.map(Math.abs));
  expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
  expect(largest).toBeGreaterThan(bound * 0.99);
  expect(deviation(values) / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
}

const checks: Readonly<Record<string, (c: InitCase) => Promise<void> | void>> = {
  gain: (c) => expect(init.calculateGain(camel(c.nonlinearity) as "relu", c.param)).toBeCloseTo(c.value as number, 14),
  fan(c) {
    if (c.error) expect(() => init.calculateFans(empty(c.shape))).toThrow("a fan needs two axes at least");
    else expect(init.calculateFans(empty(c.shape))).toEqual({ fanIn: c.fanIn, fanOut: c.fanOut });
  },
  xavierUniform: async (c) =>
    expectUniform(await sample((t) => init.xavierUniform_(t, { gain: c.gain }), c.shape), c.bound),
  async xavierNormal(c) {
    const values = await sample((t) => init.xavierNormal_(t, { gain: c.gain }), c.shape);
    expect(deviation(values) / c.std).toBeCloseTo(1, 1);
  },
  async kaimingUniform({ a, mode, nonlinearity, shape, bound }) {
    const options = { a, mode, nonlinearity: camel(nonlinearity) as "relu" };
    expectUniform(await sample((t) => init.kaimingUniform_(t, options), shape), bound);
  },
  async kaimingNormal({ a, mode, nonlinearity, shape, std }) {
    const options = { a, mode, nonlinearity: camel(nonlinearity) as "relu" };
    expect(deviation(await sample((t) => init.kaimingNormal_(t, options), shape)) / std).toBeCloseTo(1, 1);
  },
  eye: (c) => expectLike(init.eye_(empty(c.shape)), c.value as RawTensor, "eye"),
  dirac: (c) => expectLike(init.dirac_(empty(c.shape), c.groups), c.value as RawTensor, "dirac"),
};

const cases = loadFixtures<InitCase>("nn-init");
const known = cases.filter(({ kind }) => kind in checks);
test.each(known.map((c, i) => [`${i} ${c.kind} ${c.nonlinearity ?? ""} [${c.shape ?? ""}]`, c] as const))(
  "%s",
  async (_name, c) => {
    await checks[c.kind]?.(c);
  },
);

describe("defaults", () => {
  const layers: Record<string, () => nn.Module> = {
    Linear: () => new nn.Linear(20, 30),
    Conv1d: () => new nn.Conv1d(4, 6, 3),
    Conv2d: () => new nn.Conv2d(4, 6, 3, { groups: 2 }),
  };
  test.each(cases.filter(({ uniformBound }) => uniformBound !== undefined))(
    "$module",
    async ({ module, uniformBound }) => {
      const values: number[][] = [[], []];
      for (let i = 0; i < 40; i++) {
        for (const [p, t] of (layers[module] as () => nn.Module)().parameters().entries())
          values[p]?.push(...(await t.data()));
      }
      for (const own of values) expectUniform(own, uniformBound as number);
    },
  );

  test("Embedding, norms", async () => {
    const rows = await new nn.Embedding(100, 40, { paddingIdx: 3 }).weight.data();
    expect(deviation(Array.from(rows))).toBeCloseTo(Math.sqrt(0.99), 1);
    expect(rows.subarray(120, 160).every((v) => v === 0)).toBe(true);
    const state = Object.entries(new nn.BatchNorm2d(2).stateDict());
    expect(await Promise.all(state.map(async ([key, t]) => [key, await t.tolist()]))).toEqual([
      ["weight", [1, 1]],
      ["bias", [0, 0]],
      ["running_mean", [0, 0]],
      ["running_var", [1, 1]],
      ["num_batches_tracked", 0],
    ]);
    const [weight, bias] = new nn.LayerNorm(2).parameters();
    expect([await weight?.tolist(), await bias?.tolist()]).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });
});

test("truncated normal", async () => {
  const values = await sample((t) => init.truncNormal_(t, { mean: 1, std: 2, a: 0, b: 4 }), [50, 20]);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThanOrEqual(4);
  // E X = mean + std (φ(α) − φ(β)) / (Φ(β) − Φ(α)) with α = −½, β = 3/2.
  expect(values.reduce((sum, x) => sum + x, 0) / values.length).toBeCloseTo(1 + (2 * (0.3521 - 0.1295)) / 0.6247, 0.9);
  const tail = await sample((t) => init.truncNormal_(t, { a: 5, b: 6 }), [50, 20]);
  expect(Math.min(...tail)).toBeGreaterThanOrEqual(5);
});

test.each([
  [4, 7],
  [7, 4],
  [3, 2, 2],
  [5, 5],
])("orthogonal_ of %i × %i …", async (...shape) => {
  const t = init.orthogonal_(empty(shape, { dtype: under.float64 ? "float64" : "float32" }), { gain: 2 });
  const [rows, columns] = [shape[0] as number, t.size / (shape[0] as number)];
  const data = await t.data();
  const few = Math.min(rows, columns);
  const at = (i: number, k: number) => data[rows < columns ? i * columns + k : k * columns + i] as number;
  for (let i = 0; i < few; i++) {
    for (let j = 0; j < few; j++) {
      let product = 0;
      for (let k = 0; k < Math.max(rows, columns); k++) product += at(i, k) * at(j, k);
      expect(product).toBeCloseTo(i === j ? 4 : 0, under.float64 ? 10 : 5);
    }
  }
});

test("sparse_ leaves zeros in every column", async () => {
  const data = await init.sparse_(empty([10, 6]), 0.35).data();
  for (let column = 0; column < 6; column++) {
    const zeros = Array.from({ length: 10 }, (_, row) => data[row * 6 + column]).filter((v) => v === 0).length;
    expect(zeros).toBe(4);
  }
});

test("says what is wrong", () => {
  const vector = empty([3]);
  expect(message(() => init.xavierUniform_(vector))).toMatchInlineSnapshot(`
    "init: a fan needs two axes at least
      shape [3]
    Use uniform_ or normal_ for vectors."
  `);
  expect(message(() => init.kaimingNormal_(empty([2, 2]), { mode: "fan_in" as "fanIn" }))).toMatchInlineSnapshot(`
    "kaimingNormal_: unknown mode
      mode fan_in
    Did you mean "fanIn"?"
  `);
  expect(message(() => init.calculateGain("leaky_relu" as "leakyRelu"))).toMatchInlineSnapshot(`
    "calculateGain: unknown nonlinearity
      nonlinearity leaky_relu
    Did you mean "leakyRelu"?"
  `);
  expect(message(() => init.eye_(vector))).toMatchInlineSnapshot(`
    "eye_: takes a matrix
      shape [3]"
  `);
  expect(message(() => init.dirac_(empty([3, 1, 3]), 2))).toMatchInlineSnapshot(`
    "dirac_: the channels do not fall into groups
      channels 3
      groups   2
    groups divides the first extent."
  `);
  expect(message(() => init.orthogonal_(vector))).toMatchInlineSnapshot(`
    "orthogonal_: takes two axes at least
      shape [3]"
  `);
  expect(message(() => init.sparse_(vector, 0.5))).toMatchInlineSnapshot(`
    "sparse_: takes a matrix
      shape [3]"
  `);
  expect(message(() => init.truncNormal_(vector, { a: 2, b: 1 }))).toMatchInlineSnapshot(`
    "truncNormal_: needs a < b, and a positive std
      a   2
      b   1
      std 1"
  `);
});
