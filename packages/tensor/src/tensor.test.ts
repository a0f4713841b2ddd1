import { reference } from "@descent/backend";
import { backendUnderTest, under } from "backend-under-test";
import { describe, expect, test } from "vitest";
import { type Backend, type DType, isDescentError, tensor, use } from "./index.ts";

const backend = await use(backendUnderTest());

describe("to", () => {
  test("another dtype", () => {
    const x = tensor([1.7, -1.7, 0]);
    expect(x.to("float32")).toBe(x);
    expect(x.to("int32").tolistSync()).toEqual([1, -1, 0]);
    expect(x.to("bool").tolistSync()).toEqual([true, true, false]);
    expect(x.gt(0).to("float32").mean().itemSync()).toBeCloseTo(1 / 3, 7); // float32
  });

  const dtypes: readonly DType[] = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"];
  test.each(dtypes)("another backend: %s keeps its dtype and values", (dtype) => {
    const x = tensor([[1, 0, 1], [0, 1, 1]], { dtype }).t(); // biome-ignore format: rows
    const other = reference();
    const moved = x.to(other);
    expect([moved.backend, moved.dtype, moved.shape]).toEqual([other, dtype, [3, 2]]);
    expect(moved.tolistSync()).toEqual(x.tolistSync());
    expect(moved.to(other)).toBe(moved);
    expect(tensor([], { dtype }).to(other).shape).toEqual([0]);
  });

  const { readSync: _, ...waitless } = backend;
  const errors: readonly (readonly [() => unknown, string])[] = [
    [() => tensor([1]).to("float23" as never), 'to: unknown dtype\n  dtype float23\nDid you mean "float32"?'],
    [() => tensor([1]).to({} as never), "to: takes a dtype or a backend\n  got object"],
    [
      () => tensor([1], { backend: waitless as Backend }).to(backend),
      `to: this backend cannot wait for its results\n  from ${under.name}\n  to   ${under.name}\nMake it there from its values: tensor(await t.tolist(), { dtype, backend }).`,
    ],
  ];
  test.each(errors)("says what is wrong: %#", (f, message) => {
    let found: unknown;
    try {
      f();
    } catch (error) {
      found = error;
    }
    expect(isDescentError(found) ? found.message : found).toBe(message);
  });
});
