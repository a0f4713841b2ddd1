import { expect, test } from "vitest";
import { RandomSampler, SequentialSampler, WeightedRandomSampler } from "./samplers.ts";
import { message } from "./testing/message.ts";

const whole = (operation: string, samples: number, numSamples: number) =>
  `${operation}: a number of samples is no integer of at least 0\n  samples    ${samples}\n  numSamples ${numSamples}`;
const nothing = (operation: string, numSamples: number) =>
  `${operation}: there is nothing to draw from\n  samples    0\n  numSamples ${numSamples}`;

const wrong: readonly (readonly [() => unknown, string])[] = [
  [() => new SequentialSampler(Number.NaN), whole("SequentialSampler", Number.NaN, Number.NaN)],
  [() => new RandomSampler(2.5), whole("RandomSampler", 2.5, 2.5)],
  [() => new RandomSampler(3, { numSamples: -1 }), whole("RandomSampler", 3, -1)],
  [() => new RandomSampler(0, { numSamples: 5 }), nothing("RandomSampler", 5)],
  [() => new WeightedRandomSampler([1], 0.5), whole("WeightedRandomSampler", 1, 0.5)],
  [() => new WeightedRandomSampler([], 2), nothing("WeightedRandomSampler", 2)],
];
test.each(wrong)("refuses counts that make no sense: %#", (make, expected) => {
  expect(message(make)).toBe(expected);
});

test("an empty dataset has empty epochs", () => {
  expect([new SequentialSampler(0), new RandomSampler(0)].map((sampler) => sampler.indices(0).length)).toEqual([0, 0]);
});
