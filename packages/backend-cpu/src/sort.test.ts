import { compareNumbers } from "@descent/backend";
import { expect, test } from "vitest";
import { sortLine } from "./sort.ts";

const sorted = (keys: readonly number[], descending: boolean): number[] => {
  const [order, spare] = [new Int32Array(keys.length), new Int32Array(keys.length)];
  sortLine(Float64Array.from(keys), order, spare, keys.length, descending);
  return [...order];
};

test.each([false, true])("sorts as the engine's stable sort does, descending %s", (descending) => {
  for (const length of [0, 1, 2, 11, 12, 13, 24, 25, 100, 1000, 4097]) {
    for (const span of [3, 1000]) {
      const keys = Array.from({ length }, () => (Math.random() < 0.05 ? Number.NaN : Math.floor(Math.random() * span)));
      const wanted = [...keys.keys()].sort(
        (a, b) => (descending ? -1 : 1) * compareNumbers(keys[a] as number, keys[b] as number),
      );
      expect(sorted(keys, descending)).toEqual(wanted);
    }
  }
});
