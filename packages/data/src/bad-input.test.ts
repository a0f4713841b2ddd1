import { tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import { DataLoader, randomSplit, Subset, TensorDataset } from "./index.ts";
import { message } from "./testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const given = (value: unknown): never => value as never; // as JavaScript would pass it
const none = (operation: string, got: string) =>
  `${operation}: takes a dataset\n  got ${got}\nIt has a length and a get(index); of an array a: { length: a.length, get: (i) => a[i] }.`;
const data = () => new TensorDataset({ x: tensor([1, 2]) });

const wrong: readonly (readonly [string, () => unknown, string])[] = [
  ["nothing", () => new DataLoader(given(undefined)), none("DataLoader", "undefined")],
  ["an array", () => new DataLoader(given([1, 2])), none("DataLoader", "an array")],
  ["an object without samples", () => new DataLoader(given({ length: 3 })), none("DataLoader", "object")],
  ["part of nothing", () => new Subset(given(null), []), none("Subset", "null")],
  ["parts of nothing", () => randomSplit(given(null), [1]), none("randomSplit", "null")],
  [
    "an array for a tensor",
    () => new TensorDataset({ x: given([1, 2]) }),
    "TensorDataset: takes tensors by name\n  name x\n  got  an array\nMake one with tensor(…).",
  ],
  [
    "a collate that cannot be called",
    () => new DataLoader(data(), { collate: given(3) }),
    "DataLoader: collate is no function\n  collate number",
  ],
  [
    "a state that is none",
    () => new DataLoader(data()).loadStateDict(given(null)),
    "DataLoader.loadStateDict: the state does not fit this loader\n  epoch    undefined\n  position undefined\n  samples  2\nBuild the loader with the dataset and options it was saved with.",
  ],
];
test.each(wrong)("refuses %s", (_, f, expected) => {
  expect(message(f)).toBe(expected);
});
