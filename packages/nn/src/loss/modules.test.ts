import { type Tensor, tensor, use } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import * as nn from "../index.ts";
import { message } from "../testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const scores = () => tensor([[0.5, -1, 2], [1, 0.2, -0.3]]); // biome-ignore format: rows
const shares = () => tensor([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]]); // biome-ignore format: rows
const labels = () => tensor([2, 1], { dtype: "int64" });
const weights = () => tensor([1, 2, 0.5]);

const table: readonly (readonly [string, () => nn.Module<[Tensor, Tensor]>, () => [Tensor, Tensor], () => Tensor])[] = [
  ["CrossEntropyLoss", () => new nn.CrossEntropyLoss(), () => [scores(), labels()], () => nn.crossEntropy(scores(), labels())],
  [
    "CrossEntropyLoss with all options",
    () => new nn.CrossEntropyLoss({ weight: weights(), labelSmoothing: 0.1, ignoreIndex: 1, reduction: "sum" }),
    () => [scores(), labels()],
    () => nn.crossEntropy(scores(), labels(), { weight: weights(), labelSmoothing: 0.1, ignoreIndex: 1, reduction: "sum" }),
  ],
  ["NLLLoss", () => new nn.NLLLoss({ weight: weights() }), () => [scores(), labels()], () => nn.nllLoss(scores(), labels(), { weight: weights() })],
  ["MSELoss", () => new nn.MSELoss({ reduction: "none" }), () => [scores(), shares()], () => nn.mseLoss(scores(), shares(), { reduction: "none" })],
  ["L1Loss", () => new nn.L1Loss(), () => [scores(), shares()], () => nn.l1Loss(scores(), shares())],
  ["SmoothL1Loss", () => new nn.SmoothL1Loss({ beta: 0.5 }), () => [scores(), shares()], () => nn.smoothL1Loss(scores(), shares(), { beta: 0.5 })],
  ["HuberLoss", () => new nn.HuberLoss({ delta: 2 }), () => [scores(), shares()], () => nn.huberLoss(scores(), shares(), { delta: 2 })],
  ["BCELoss", () => new nn.BCELoss({ weight: weights() }), () => [shares(), shares()], () => nn.binaryCrossEntropy(shares(), shares(), { weight: weights() })],
  [
    "BCEWithLogitsLoss",
    () => new nn.BCEWithLogitsLoss({ posWeight: weights() }),
    () => [scores(), shares()],
    () => nn.binaryCrossEntropyWithLogits(scores(), shares(), { posWeight: weights() }),
  ],
  ["KLDivLoss", () => new nn.KLDivLoss({ reduction: "batchmean" }), () => [scores(), shares()], () => nn.klDiv(scores(), shares(), { reduction: "batchmean" })],
]; // biome-ignore format: a table

test.each(table)("%s is the loss of the same name", async (_, make, inputs, expected) => {
  expect(
    await make()
      .forward(...inputs())
      .tolist(),
  ).toEqual(await expected().tolist());
});

test("weights are saved, move with the module, and learn nothing", () => {
  const loss = new nn.BCEWithLogitsLoss({ weight: weights(), posWeight: weights() });
  expect(Object.keys(loss.stateDict())).toEqual(["weight", "pos_weight"]);
  expect(loss.parameters()).toEqual([]);
  expect(loss.to("float16").buffers().map(({ dtype }) => dtype)).toEqual(["float16", "float16"]); // biome-ignore format: one line
});

test("prints its options, and refuses others", () => {
  expect(String(new nn.CrossEntropyLoss({ weight: weights(), labelSmoothing: 0.1 }))).toBe(
    "CrossEntropyLoss(labelSmoothing=0.1)",
  );
  expect(message(() => new nn.HuberLoss({ beta: 1 } as object))).toBe(
    'HuberLoss: unknown option\n  option beta\nDid you mean "delta"?',
  );
});
