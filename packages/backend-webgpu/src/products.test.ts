import { type Buffer, buildScan, buildScatter, buildSort } from "@descent/backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebgpuBackend } from "./backend.ts";
import { webgpu } from "./index.ts";
import { type Choice, nameOf, rules } from "./kernels/contract-plan.ts";
import { withEnough } from "./testing/enough.ts";
import { filled, launchOf, product } from "./testing/programs.ts";
import { shapes } from "./tuning/candidates.ts";
import { Choices } from "./tuning/choices.ts";

// Sizes that the conformance kit leaves out because the interpreter takes too long; numbers are small integers, so sums are exact.

let backend: WebgpuBackend;
beforeAll(async () => {
  backend = await withEnough(128);
});
afterAll(() => backend.close());

const digits = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => ((i * 7 + seed * 13) % 11) - 5);

/** Multiplies matrices of small integers, and says which elements of the product are wrong. */
async function wrongIn(backend: WebgpuBackend, m: number, n: number, k: number, how: string): Promise<string[]> {
  const [a, b] = [digits(m * k, 1), digits(k * n, 2)];
  const left = how[0] === "T" ? [1, 0, m] : [k, 0, 1];
  const right = how[1] === "T" ? [0, k, 1] : [0, 1, n];
  const buffers = [filled(backend, a), filled(backend, b), backend.alloc("float32", m * n)];
  backend.launch(launchOf(backend.compile(product()), buffers, [m, n, k], { strides: [left, right] }));
  const got = await backend.read(buffers[2]!);
  for (const buffer of buffers) backend.free(buffer);
  const wrong: string[] = [];
  // A sample of rows and columns, the last ones among them, checks every tile.
  for (let row = 0; row < m; row = row === m - 1 ? m : Math.min(row + 7, m - 1))
    for (let col = 0; col < n; col++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += a[row * left[0]! + i * left[2]!]! * b[col * right[1]! + i * right[2]!]!;
      if (got[row * n + col] !== sum) wrong.push(`[${row}, ${col}] is ${got[row * n + col]} instead of ${sum}`);
    }
  return wrong.slice(0, 5);
}

describe("products", () => {
  test.each([
    ["tiles of 128, vectors along both", 4, 132, 256, 36, "NN"],
    ["tiles of 128, odd", 1, 131, 133, 19, "NN"],
    ["tiles of 64, both transposed", 4, 92, 116, 24, "TT"],
    ["tiles of 64, vectors along the inner axis", 4, 108, 68, 40, "NT"],
    ["tiles of 64, vectors across it", 4, 68, 108, 20, "TN"],
    ["long inner axis in parts", 128, 40, 36, 2000, "NN"],
    ["long inner axis in odd parts", 128, 33, 35, 1501, "NT"],
    ["a row vector", 128, 1, 300, 700, "NN"],
    ["a column vector", 128, 300, 1, 700, "NT"],
  ] as const)("%s", async (_name, enough, m, n, k, how) => {
    const backend = await withEnough(enough);
    expect(await wrongIn(backend, m, n, k, how)).toEqual([]);
    await backend.close();
  });
});

describe("candidates of the tuner", () => {
  let choices: Choices;
  let backend: WebgpuBackend;
  beforeAll(async () => {
    choices = new Choices(false);
    backend = await withEnough(128, choices);
  });
  afterAll(() => backend.close());

  // Every layout that no rule chooses, and double tiles with two of them: what is emitted for one does not look at the other.
  const double = ["64x64x16 8x4", "32x64x16 4x4"];
  const byRule = new Set(rules.map(nameOf));
  const named = shapes.flatMap((shape) => {
    const plain = nameOf({ shape, fill: 1 });
    if (byRule.has(plain)) return [];
    const choice: Choice = double.some((layout) => plain.startsWith(layout))
      ? { shape: { ...shape, ahead: 2 }, fill: 4 }
      : { shape: { ...shape, ahead: 0 }, fill: 1 };
    return [[nameOf(choice), choice] as const];
  });
  test.each(named)("%s", async (_name, choice) => {
    const { rows, cols, depth } = choice.shape;
    choices.forced = choice;
    // Enough for two stretches and a bit, or for parts of as much.
    const inner = choice.fill > 1 ? 600 : 2 * depth + 4;
    expect(await wrongIn(backend, rows + 4, cols + 4, inner, "TN")).toEqual([]);
  });
});

test("a line longer than a workgroup's memory is sorted, stably", async () => {
  const length = 2100;
  const data = digits(2 * length, 3);
  const [values, indices] = [backend.alloc("float32", 2 * length), backend.alloc("int64", 2 * length)];
  const input = filled(backend, data);
  const kernel = backend.compile(buildSort(2, true, "float32"));
  backend.launch(launchOf(kernel, [input, values, indices], [2, length], { strides: [[length, 1]] }));
  const [v, i] = await Promise.all([backend.read(values), backend.read(indices)]);
  for (const line of [0, 1]) {
    const own = data.slice(line * length, (line + 1) * length);
    const order = [...own.keys()].sort((a, b) => own[b]! - own[a]! || a - b);
    expect([...i.slice(line * length, (line + 1) * length)]).toEqual(order);
    expect([...v.slice(line * length, (line + 1) * length)]).toEqual(order.map((k) => own[k]));
  }
  for (const buffer of [input, values, indices]) backend.free(buffer);
});

test("a line too long for one workgroup is scanned in parts", async () => {
  const length = 8200;
  const data = digits(length, 4);
  const [sums, tops, places] = [
    backend.alloc("float32", length),
    backend.alloc("float32", length),
    backend.alloc("int64", length),
  ];
  const input = filled(backend, data);
  const strides = [[1]];
  backend.launch(launchOf(backend.compile(buildScan(1, "sum", "float32")), [input, sums], [length], { strides }));
  backend.launch(
    launchOf(backend.compile(buildScan(1, "max", "float32")), [input, tops, places], [length], { strides }),
  );
  const [s, p] = await Promise.all([backend.read(sums), backend.read(places)]);
  let [sum, top, place] = [0, Number.NEGATIVE_INFINITY, 0];
  const wrong: number[] = [];
  data.forEach((x, k) => {
    sum += x;
    if (x >= top) [top, place] = [x, k];
    if (s[k] !== sum || p[k] !== place) wrong.push(k);
  });
  expect(wrong).toEqual([]);
  for (const buffer of [input, sums, tops, places]) backend.free(buffer);
});

test("deterministic sums by index are in the order of the elements", async () => {
  const ordered = await webgpu({ deterministic: true });
  // Added in another order these give other numbers: the large ones swallow what comes between them.
  const data = Float32Array.from({ length: 3000 }, (_, i) => [1e8, 1, -1e8, 0.25, 3][i % 5]! * (1 + (i % 7)));
  const index = Int32Array.from(data, (_, i) => (i * 31) % 4);
  const expected = new Float32Array(4);
  data.forEach((x, i) => {
    expected[index[i]!] = Math.fround(expected[index[i]!]! + x);
  });
  const run = async (on: WebgpuBackend): Promise<number[]> => {
    const [target, where, source] = [filled(on, new Float32Array(4)), filled(on, index, "int64"), filled(on, data)];
    const kernel = on.compile(buildScatter(1, "sum", "float32", "int64"));
    const buffers: Buffer[] = [target, where, source];
    on.launch(launchOf(kernel, buffers, [3000], { strides: [[0], [1], [1]], uniforms: [1, 4] }));
    const result = [...(await on.read(target))];
    for (const buffer of buffers) on.free(buffer);
    return result;
  };
  expect(await run(ordered)).toEqual([...expected]);
  expect(await run(ordered)).toEqual([...expected]);
  await ordered.close();
});
