import { DescentError, hostArray } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";
import { fromHostLike } from "./fresh.ts";

/** Keeps the columns on one side of a border that is given per row. */
const spec = (name: string, upper: boolean): Traced => ({
  name,
  key: name,
  dtype: ([x]) => (x as Tensor).dtype,
  body: ([x, column, border]) => {
    const before = column!.lt(border!);
    return [upper ? before.select(0, x!) : before.select(x!, 0)];
  },
});

function triangle(name: string, upper: boolean): (x: Tensor, diagonal?: number) => Tensor {
  const own = spec(name, upper);
  return (x, diagonal = 0) => {
    if (x.ndim < 2) {
      const facts = { shape: showShape(x.shape) };
      throw new DescentError("shape", name, "takes at least two axes", facts, "The last two are rows and columns.");
    }
    const [rows, cols] = x.shape.slice(-2) as [number, number];
    const whole = (length: number, f: (i: number) => number) => hostArray("int32", length).map((_, i) => f(i));
    // Borders stay within the row, so that unsigned types compare them too.
    const border = (i: number) => Math.min(Math.max(i + diagonal + (upper ? 0 : 1), 0), cols);
    return applyTraced(own, [
      x,
      fromHostLike(x, whole(cols, (i) => i), [cols], "int32", name), // biome-ignore format: one line
      fromHostLike(x, whole(rows, border), [rows, 1], "int32", name),
    ])[0] as Tensor;
  };
}

/** The last two axes' elements on and below diagonal `diagonal`, 0 elsewhere. Default: 0, the main one. */
export const tril = triangle("tril", false);
/** The last two axes' elements on and above diagonal `diagonal`, 0 elsewhere. Default: 0, the main one. */
export const triu = triangle("triu", true);

const diagonalSpec: Traced = {
  name: "eye",
  key: "eye",
  dtype: () => "int32",
  outputs: () => ["bool"],
  body: ([row, column]) => [row!.eq(column!)],
};

/** An n × n bool tensor on the backend of `like`, true on the diagonal. */
export function eyeMask(like: Tensor, n: number): Tensor {
  const count = Int32Array.from({ length: n }, (_, i) => i);
  const [row, column] = [[n, 1], [n]].map((shape) => fromHostLike(like, count, shape, "int32", "eye"));
  return runTraced(diagonalSpec, [row as Tensor, column as Tensor])[0] as Tensor;
}
