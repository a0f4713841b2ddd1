import * as ops from "@descent/tensor";
import { Tensor, use } from "@descent/tensor";
import { backendUnderTest, needs, sampled } from "backend-under-test";
import { loadFixtures, type OpCase } from "torch-fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { runCase, title } from "./testing/fixture-case.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

/** Options that are positional arguments here; the others are passed as an options object. `*` is where the inputs go, the first but the tensor itself. */
const positional: Readonly<Record<string, string>> = {
  argmax: "dim",
  argmin: "dim",
  argsort: "dim",
  cat: "dim",
  chunk: "chunks dim",
  cummax: "dim",
  cummin: "dim",
  cumprod: "dim",
  cumsum: "dim",
  diag: "diagonal",
  expand: "shape",
  flatten: "startDim endDim",
  flip: "dims",
  gather: "dim *",
  indexAdd: "dim *",
  indexCopy: "dim *",
  indexSelect: "dim *",
  logSoftmax: "dim",
  max: "dim",
  maskedFill: "* value",
  median: "dim",
  min: "dim",
  movedim: "source destination",
  narrow: "dim start length",
  norm: "p dim",
  oneHot: "numClasses",
  pad: "pad",
  permute: "dims",
  prod: "dim",
  repeat: "repeats",
  repeatInterleave: "repeats dim",
  reshape: "shape",
  roll: "shifts dims",
  scatter: "dim *",
  scatterAdd: "dim *",
  select: "dim index",
  slice: "dim start end step",
  softmax: "dim",
  sort: "dim",
  split: "splitSize dim",
  squeeze: "dim",
  stack: "dim",
  takeAlongDim: "* dim",
  tile: "repeats",
  topk: "k dim",
  transpose: "dim0 dim1",
  tril: "diagonal",
  triu: "diagonal",
  unbind: "dim",
  unflatten: "dim sizes",
  unfold: "dim size step",
  unsqueeze: "dim",
};
for (const name of [
  "sum",
  "mean",
  "amax",
  "amin",
  "logsumexp",
  "all",
  "any",
  "countNonzero",
  "var",
  "std",
  "varMean",
  "stdMean",
])
  (positional as Record<string, string>)[name] = "dim";

/** Names of the functions, where they differ from the fixtures'. */
const renamed: Readonly<Record<string, string>> = {
  unique: "uniqueSync",
  nonzero: "nonzeroSync",
  maskedSelect: "maskedSelectSync",
};

const numbers: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };
const numeric = (value: unknown): unknown => (typeof value === "string" ? (numbers[value] ?? value) : value);

function call({ op, options = {} }: OpCase, inputs: unknown[]): readonly (Tensor | null)[] {
  const rest = { ...options };
  const taken = (name: string) => {
    const value = numeric(rest[name]);
    delete rest[name];
    return value;
  };
  const names = (positional[op] ?? "*").split(" ").filter(Boolean);
  const placed = names.flatMap((name) => (name === "*" ? inputs.slice(1).map(numeric) : [taken(name)]));
  const trailing = Object.keys(rest).length > 0 ? [rest] : [];
  const args = [inputs[0], ...placed, ...trailing];
  const f = (ops as unknown as Record<string, (...x: unknown[]) => unknown>)[renamed[op] ?? op];
  const found = f!(...args) as Tensor | Tensor[] | Record<string, Tensor | null>;
  if (found instanceof Tensor) return [found];
  return Array.isArray(found) ? found : Object.values(found);
}

/** What PyTorch has and Descent has not, with the reason. */
const absent: Readonly<Record<string, string>> = {
  bincount: "rare",
  logcumsumexp: "rare",
  searchsorted: "rare",
  softmin: "softmax(x.neg(), dim)",
};

/** Recorded gradients that are not ours, with the reason. */
const different: Readonly<Record<string, string>> = {
  'prod float64[5,3] {"dim":1}':
    "infinities: PyTorch divides by them too, but not in a tensor that has a zero somewhere",
};

const families = [
  "reductions-dims",
  "reductions-moments",
  "reductions-one",
  "reductions-scans",
  "shapes-joins",
  "shapes-pad-modes",
  "shapes-views",
  "indexing-gather",
  "indexing-order",
  "indexing-scatter",
];

/** Whether what PyTorch refuses is an index out of range. */
const isIndexError = (c: OpCase) => c.op === "oneHot" && c.error !== undefined;

describe.each(families)("%s", (name) => {
  const cases = loadFixtures(name)
    .filter((c) => !(c.op in absent || title(c) in different))
    .map((c, i) => [`${i} ${title(c)}`, c] as const);
  const run = (_: string, c: OpCase) => runCase(c, call);
  const [some, rest] = sampled(
    cases.filter(([, c]) => !isIndexError(c)),
    1 / 2,
  );
  test.each(some)("%s", run);
  test.each(rest)("%s", needs("speed"), run);
  test.each(cases.filter(([, c]) => isIndexError(c)))("%s", needs("checksIndices"), run);
});

test("what is left out is not there", () => {
  for (const op of Object.keys(absent)) expect(op in ops, op).toBe(false);
});
