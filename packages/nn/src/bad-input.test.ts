import { tensor, use, zeros } from "@descent/tensor";
import { backendUnderTest } from "backend-under-test";
import { beforeAll, expect, test } from "vitest";
import * as nn from "./index.ts";
import { message } from "./testing/message.ts";

beforeAll(async () => {
  await use(backendUnderTest());
});

const given = <T>(value: unknown): T => value as T; // as JavaScript would pass it

const wrong: readonly (readonly [string, () => unknown, string])[] = [
  [
    "an array for a tensor",
    () => new nn.Linear(2, 3).forward(given([1, 2])),
    "Linear: the input is no tensor\n  got an array\nMake one with tensor(…).",
  ],
  [
    "nothing for a tensor",
    () => new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU()).forward(given(undefined)),
    "Linear: the input is no tensor\n  got undefined\nMake one with tensor(…).",
  ],
  [
    "a target that is no tensor",
    () => nn.crossEntropy(zeros([2, 3]), given([0, 1])),
    "crossEntropy: the target is no tensor\n  got an array\nMake one with tensor(…).",
  ],
  [
    "an input that is no tensor",
    () => nn.binaryCrossEntropy(given(0.5), tensor([1])),
    "binaryCrossEntropy: the input is no tensor\n  got number\nMake one with tensor(…).",
  ],
  [
    "a state that is none",
    () => new nn.Linear(2, 3).loadStateDict(given(null)),
    "Linear.loadStateDict: takes tensors by name\n  got null\nPass what stateDict() gave, or tensors by the same names.",
  ],
  [
    "a state of numbers",
    () => new nn.Linear(2, 3).loadStateDict(given({ weight: 1, bias: 2 })),
    "Linear.loadStateDict: takes tensors by name\n  key weight\n  got number\nPass what stateDict() gave, or tensors by the same names.",
  ],
  [
    "groups that do not divide the channels",
    () => new nn.GroupNorm(2, 3),
    "GroupNorm: the channels do not fall into groups\n  numChannels 3\n  numGroups   2\nnumGroups divides numChannels.",
  ],
  [
    "a hook that is no function",
    () => new nn.ReLU().registerForwardHook(given(3)),
    "registerHook: takes a function\n  got number",
  ],
];
test.each(wrong)("refuses %s", (_, f, expected) => {
  expect(message(f)).toBe(expected);
});
