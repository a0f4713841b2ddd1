import { expect, test } from "vitest";
import { fastest } from "./fastest.ts";

interface Case {
  readonly name: string;
  /** What a candidate takes, time after time; the last one again and again. */
  readonly takes: Readonly<Record<string, readonly number[]>>;
  readonly budget?: number;
  readonly best: string | null;
  /** Who was timed, in order. */
  readonly order: string;
}

test.each<Case>([
  { name: "the least time wins", takes: { a: [1.2], b: [1], c: [1.1] }, best: "b", order: "abcabcabc" },
  { name: "the first one has to be beaten clearly", takes: { a: [1], b: [0.98] }, best: "a", order: "ababab" },
  { name: "who is hopeless is timed once", takes: { a: [1], b: [9], c: [0.9] }, best: "c", order: "abcacac" },
  { name: "disturbed times do not count", takes: { a: [1], b: [1.2, 0.7, 5] }, best: "b", order: "abab" },
  { name: "a refused candidate never wins", takes: { a: [3], b: [Number.POSITIVE_INFINITY] }, best: "a", order: "ab" },
  {
    name: "all are refused",
    takes: { a: [Number.POSITIVE_INFINITY], b: [Number.POSITIVE_INFINITY] },
    best: "a",
    order: "ababab",
  },
  { name: "one candidate needs no time", takes: { a: [1] }, best: "a", order: "" },
  { name: "time is up before all had a turn", takes: { a: [1], b: [1], c: [0.1] }, budget: 2, best: null, order: "ab" },
  { name: "time is up after all had a turn", takes: { a: [1], b: [0.9] }, budget: 1.9, best: "b", order: "ab" },
])("$name", async ({ takes, budget = 1000, best, order }) => {
  const done: string[] = [];
  let left = budget;
  const time = async (one: string) => {
    const turn = done.filter((other) => other === one).length;
    done.push(one);
    const all = takes[one] as readonly number[];
    const seconds = all[Math.min(turn, all.length - 1)] as number;
    if (Number.isFinite(seconds)) left -= seconds;
    return seconds;
  };
  expect((await fastest(Object.keys(takes), time, () => left)).best).toBe(best);
  expect(done.join("")).toBe(order);
});
