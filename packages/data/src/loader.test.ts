import { type Backend, runtimeOf, type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, describe, expect, test } from "vitest";
import { collate } from "./collate.ts";
import { ConcatDataset, type Dataset, randomSplit, Subset, TensorDataset } from "./dataset.ts";
import { DataLoader, type DataLoaderOptions } from "./loader.ts";
import { RandomSampler, WeightedRandomSampler } from "./samplers.ts";
import { message } from "./testing/message.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await use(backendUnderTest());
});

/** Samples i: x = [i, 10 i], y = i. */
const numbered = (length: number) => {
  const x = tensor(Float32Array.from({ length: 2 * length }, (_, i) => (i % 2 ? 10 : 1) * Math.floor(i / 2)));
  const y = tensor(
    Int32Array.from({ length }, (_, i) => i),
    { dtype: "int64" },
  );
  return new TensorDataset({ x: x.reshape([length, 2]), y });
};
const values = async (t: Tensor) => Array.from(await t.data());
type Options = DataLoaderOptions<Record<"x" | "y", Tensor>, Record<"x" | "y", Tensor>>;
/** Reads what a loop gives after it: a loop that does not wait is the harder case. */
const epoch = (loader: Iterable<{ y: Tensor }>): Promise<number[][]> => {
  const seen: Promise<number[]>[] = [];
  for (const { y } of loader) seen.push(values(y));
  return Promise.all(seen);
};

describe("batches", () => {
  test("in order, the last one smaller", async () => {
    const loader = new DataLoader(numbered(5), { batchSize: 2 });
    const shapes: unknown[] = [];
    for (const { x, y } of loader) shapes.push([x.shape, x.dtype, await values(x), y.dtype, await values(y)]);
    expect(shapes).toEqual([
      [[2, 2], "float32", [0, 0, 1, 10], "int64", [0, 1]],
      [[2, 2], "float32", [2, 20, 3, 30], "int64", [2, 3]],
      [[1, 2], "float32", [4, 40], "int64", [4]],
    ]);
    expect(loader.length).toBe(3);
  });

  const table: [string, Options, number[][]][] = [
    ["one by one by default", {}, [[0], [1], [2], [3], [4]]],
    [
      "without the rest",
      { batchSize: 2, dropLast: true },
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ["all at once", { batchSize: 9 }, [[0, 1, 2, 3, 4]]],
    ["nothing, when no batch is full", { batchSize: 9, dropLast: true }, []],
    [
      "shuffled, the same on every machine",
      { batchSize: 3, shuffle: true, seed: 7 },
      [
        [3, 2, 1],
        [0, 4],
      ],
    ],
  ];
  test.each(table)("%s", async (_name, options, expected) => {
    const loader = new DataLoader(numbered(5), options);
    expect(await epoch(loader)).toEqual(expected);
    expect(loader.length).toBe(expected.length);
  });

  test("another order in every epoch, and the same ones for the same seed", async () => {
    const orders = async (seed: number) => {
      const loader = new DataLoader(numbered(50), { batchSize: 50, shuffle: true, seed });
      const found: number[][] = [];
      for (let i = 0; i < 3; i++) found.push((await epoch(loader)).flat());
      return found;
    };
    const first = await orders(1);
    for (const order of first)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(new Set(first.map(String)).size).toBe(3);
    expect(await orders(1)).toEqual(first);
    expect(await orders(2)).not.toEqual(first);
  });

  test("of a dataset that answers later", async () => {
    const later: Dataset<Promise<{ name: string; y: number }>> = {
      length: 3,
      get: async (i) => ({ name: `sample ${i}`, y: i }),
    };
    const seen: unknown[] = [];
    for await (const { name, y } of new DataLoader(later, { batchSize: 2 })) seen.push([name, await values(y)]);
    expect(seen).toEqual([
      [
        ["sample 0", "sample 1"],
        [0, 1],
      ],
      [["sample 2"], [2]],
    ]);
    expect(message(() => [...new DataLoader(later)])).toMatchInlineSnapshot(`
      "collate: the samples are promises
      Use for await (… of loader)."
    `);
  });

  test("collated by the user", async () => {
    const loader = new DataLoader(numbered(4), {
      batchSize: 2,
      collate: (samples) => samples.map(({ y }) => y.item()),
    });
    expect(await Promise.all([...loader].map((batch) => Promise.all(batch)))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});

describe("a loader goes on where it was", () => {
  const make = () => new DataLoader(numbered(7), { batchSize: 2, shuffle: true, seed: 3 });
  test.each([1, 2, 3, 4, 5, 6, 7])("after %i batches", async (count) => {
    const all: number[][] = [];
    const [first, second] = [make(), make()];
    for (let i = 0; i < 2; i++) all.push(...(await epoch(first)));
    const seen: number[][] = [];
    let state = second.stateDict();
    outer: for (let i = 0; i < 2; i++) {
      for (const { y } of second) {
        seen.push(await values(y));
        if (seen.length === count) {
          state = JSON.parse(JSON.stringify(second.stateDict()));
          break outer;
        }
      }
    }
    const third = make();
    third.loadStateDict(state);
    const rest = [...(await epoch(third)), ...(count <= 4 ? await epoch(third) : [])];
    const expected = all.slice(count);
    expect(rest.slice(0, expected.length)).toEqual(expected);
  });

  test("a loop that was left starts the next epoch; the state still tells where it stopped", async () => {
    const loader = make();
    for (const _ of loader) break;
    expect(loader.stateDict()).toEqual({ epoch: 0, position: 2 });
    const next = await epoch(loader);
    expect(next.length).toBe(4);
    const other = make();
    await epoch(other);
    expect(next).toEqual(await epoch(other));
  });

  test("says when a state does not fit", () => {
    expect(message(() => make().loadStateDict({ epoch: 0, position: 8 }))).toMatchInlineSnapshot(`
      "DataLoader.loadStateDict: the state does not fit this loader
        epoch    0
        position 8
        samples  7
      Build the loader with the dataset and options it was saved with."
    `);
  });
});

describe("memory", () => {
  const live = () => runtimeOf(backend).memory.report().bytes;

  test.each(["sync", "async"])("stays the same over many iterations, %s", async (way) => {
    const data = numbered(64);
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true });
    const after: number[] = [];
    for (let round = 0; round < 4; round++) {
      if (way === "sync") for (const { x } of loader) x.mul(2).sum();
      else for await (const { x } of loader) x.mul(2).sum();
      await values(data.tensors.y); // what is on its way arrives before
      after.push(live());
    }
    expect(after[3]).toBe(after[1]);
    expect((await values(data.tensors.y)).length).toBe(64);
  });

  test("the data outlives loops over something else", async () => {
    const runtime = runtimeOf(backend);
    for (const _ of new DataLoader(numbered(4))) {
    } // a generation has passed: what is made now is no longer safe by age
    const data = numbered(4);
    for (let i = 0; i < 3; i++) for (const { x } of new DataLoader(numbered(8))) x.mul(2);
    expect(runtime.memory.scope).toBe(null);
    expect(await epoch(new DataLoader(data))).toEqual([[0], [1], [2], [3]]);
  });
});

test("keeps step with a backend whose results arrive later", async () => {
  let [waiting, most] = [0, 0];
  const later = async (...args: Parameters<Backend["read"]>) => {
    most = Math.max(most, ++waiting);
    await new Promise((resolve) => setTimeout(resolve, 2));
    waiting--;
    return base.read(...args);
  };
  const base = await backendUnderTest();
  const slow = new Proxy(base, {
    get(target, key) {
      if (key === "read") return later;
      const value = key === "readSync" ? undefined : Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const data = new TensorDataset({ y: tensor(new Float32Array(40), { backend: slow }) });
  let iterations = 0;
  for await (const { y } of new DataLoader(data, { batchSize: 2 })) {
    y.mul(2);
    iterations++;
    expect(waiting).toBeLessThanOrEqual(1);
  }
  expect([iterations, most]).toEqual([20, 2]);
});

describe("datasets", () => {
  test("parts, joins and splits", async () => {
    const data = numbered(6);
    expect(await epoch(new DataLoader(new Subset(data, [5, 0, 3]), { batchSize: 2 }))).toEqual([[5, 0], [3]]);
    const joined = new ConcatDataset([data, new Subset(data, [1, 1])]);
    expect(await epoch(new DataLoader(joined, { batchSize: 8 }))).toEqual([[0, 1, 2, 3, 4, 5, 1, 1]]);
    expect(await values(joined.get(7).x)).toEqual([1, 10]);
    const sizes = (lengths: number[]) => randomSplit(data, lengths, { seed: 1 }).map(({ length }) => length);
    expect(sizes([4, 2])).toEqual([4, 2]);
    expect(sizes([0.5, 0.25, 0.25])).toEqual([4, 1, 1]);
    const parts = randomSplit(data, [4, 2]).map((part) => epoch(new DataLoader(part)));
    const both = (await Promise.all(parts)).flat(2);
    expect(both.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("samplers", async () => {
    const counts = (indices: ArrayLike<number>) => {
      const found = [0, 0, 0, 0];
      for (const index of Array.from(indices)) (found[index] as number)++;
      return found;
    };
    const weighted = new WeightedRandomSampler([1, 0, 3, 0], 4000);
    const [a, b, c, d] = counts(weighted.indices(0)) as [number, number, number, number];
    expect([b, d, a + c]).toEqual([0, 0, 4000]);
    expect(Math.abs(a - 1000)).toBeLessThan(120);
    const drawn = Array.from(new WeightedRandomSampler([1, 0, 3, 2], 3, { replacement: false }).indices(0));
    expect(drawn.sort()).toEqual([0, 2, 3]);
    const repeated = new RandomSampler(4, { replacement: true, numSamples: 4000 });
    for (const count of counts(repeated.indices(1))) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect(counts(new RandomSampler(4, { numSamples: 10 }).indices(0)).every((n) => n === 2 || n === 3)).toBe(true);
    expect(
      await epoch(new DataLoader(numbered(4), { sampler: { length: 2, indices: () => [3, 1] }, batchSize: 2 })),
    ).toEqual([[3, 1]]);
  });

  test("collate joins every kind of sample", async () => {
    const { a, b, c, d, e } = collate([
      { a: 1, b: true, c: 3n, d: new Uint8Array([1, 2]), e: [tensor([1]), "x"] as [Tensor, string] },
      { a: 2, b: false, c: 4n, d: new Uint8Array([3, 4]), e: [tensor([2]), "y"] as [Tensor, string] },
    ]);
    const found = [a, b, c, d, e[0]].map(async (t) => [t.dtype, t.shape, await values(t)]);
    expect(await Promise.all(found)).toEqual([
      ["float32", [2], [1, 2]],
      ["bool", [2], [1, 0]],
      ["int64", [2], [3, 4]],
      ["uint8", [2, 2], [1, 2, 3, 4]],
      ["float32", [2, 1], [1, 2]],
    ]);
    expect(e[1]).toEqual(["x", "y"]);
  });
});

test("says what is wrong", () => {
  const data = numbered(3);
  expect(message(() => new TensorDataset({ x: tensor([1, 2]), y: tensor([1]) }))).toMatchInlineSnapshot(`
    "TensorDataset: the tensors differ in their number of samples
      x [2]
      y [1]
    The first axis of every tensor counts the samples."
  `);
  expect(message(() => new DataLoader(data, { batch_size: 2 } as object))).toMatchInlineSnapshot(`
    "DataLoader: unknown option
      option batch_size
    Did you mean "batchSize"?"
  `);
  expect(message(() => new DataLoader(data, { batchSize: 0 }))).toMatchInlineSnapshot(`
    "DataLoader: the batch size is no positive integer
      batchSize 0
    For example { batchSize: 32 }."
  `);
  expect(message(() => new DataLoader(data, { shuffle: true, seed: -1 }))).toMatchInlineSnapshot(`
    "RandomSampler: the seed is no integer of at least 0
      seed -1
    For example: 42."
  `);
  expect(message(() => new DataLoader(data, { shuffle: true, sampler: new RandomSampler(3) }))).toMatchInlineSnapshot(
    `"DataLoader: a sampler decides the order: shuffle has no meaning beside it"`,
  );
  expect(message(() => data.get(3))).toMatchInlineSnapshot(`
    "TensorDataset.get: no such sample
      index   3
      samples 3"
  `);
  expect(message(() => new Subset(data, [0, 5]))).toMatchInlineSnapshot(`
    "Subset: no such sample
      index   5
      samples 3"
  `);
  expect(message(() => randomSplit(data, [1, 1]))).toMatchInlineSnapshot(`
    "randomSplit: the parts do not make the whole
      samples 3
      parts   [1, 1]
    Give numbers of samples that add up to all, or fractions that add up to 1."
  `);
  expect(message(() => collate([{ a: new Float32Array(2) }, { a: new Float32Array(3) }]))).toMatchInlineSnapshot(`
    "collate: samples of different sizes do not stack
      at       a
      sample 0 2 Float32Array
      sample 1 3 Float32Array
    Pad them, or pass a collate of your own to the loader."
  `);
  expect(message(() => collate([{ a: null }]))).toMatchInlineSnapshot(`
    "collate: cannot make a batch of such samples
      at    a
      found null
    Pass a collate of your own to the loader."
  `);
  expect(message(() => collate([{ a: 1 }, { b: 1 }] as object[]))).toMatchInlineSnapshot(`
    "collate: samples differ in their members
      sample  1
      missing a"
  `);
  expect(message(() => new WeightedRandomSampler([0, 0], 2))).toMatchInlineSnapshot(`
    "WeightedRandomSampler: too few samples have a weight
      weights above 0 0
      numSamples      2
    Pass { replacement: true }, or draw fewer."
  `);
});
