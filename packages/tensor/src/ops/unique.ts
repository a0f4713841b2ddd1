import { compareNumbers } from "@descent/backend";
import { checkOptions } from "../options.ts";
import type { Tensor, TensorData } from "../tensor.ts";
import { indicesLike } from "./fresh.ts";
import { indexSelect } from "./gather.ts";
import { axisOf } from "./select.ts";
import { flatten, movedim, reshape } from "./view.ts";

export interface UniqueOptions {
  /** Also tell where each element went. Default: false. */
  readonly returnInverse?: boolean;
  /** Also tell how often each value occurs. Default: false. */
  readonly returnCounts?: boolean;
  /** Distinct slices along this axis, instead of distinct elements. Default: null. */
  readonly dim?: number | null;
}

/** Distinct values; `inverse` and `counts` are null unless asked for. */
export interface Unique {
  readonly values: Tensor;
  /** For every element (or slice), its place among the values; int64. */
  readonly inverse: Tensor | null;
  /** How often each value occurs; int64. */
  readonly counts: Tensor | null;
}

/** Rows of `width` numbers: their order, and which of them are the first of their kind. */
function grouped(data: TensorData, count: number, width: number) {
  const compare = (a: number, b: number): number => {
    for (let k = 0; k < width; k++) {
      const difference = compareNumbers(data[a * width + k] as number, data[b * width + k] as number);
      if (difference !== 0) return difference;
    }
    return a - b;
  };
  const same = (a: number, b: number): boolean => {
    for (let k = 0; k < width; k++) if (data[a * width + k] !== data[b * width + k]) return false; // NaN is like nothing
    return true;
  };
  const order = Array.from({ length: count }, (_, row) => row).sort(compare);
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new Array<number>(count);
  order.forEach((row, i) => {
    if (i === 0 || !same(row, order[i - 1] as number)) {
      firsts.push(row);
      counts.push(0);
    }
    inverse[row] = firsts.length - 1;
    counts[firsts.length - 1]!++;
  });
  return { firsts, counts, inverse };
}

/** The rows that are told apart: all elements, or the slices along `dim`. */
function rowsOf(x: Tensor, options: UniqueOptions): Tensor {
  checkOptions("unique", options, ["returnInverse", "returnCounts", "dim"]);
  const dim = options.dim ?? null;
  return (dim === null ? flatten(x) : movedim(x, axisOf("unique", dim, x), 0)).detach();
}

function finished(x: Tensor, rows: Tensor, data: TensorData, options: UniqueOptions): Unique {
  const dim = options.dim ?? null;
  const count = rows.shape[0] as number;
  const width = count === 0 ? 0 : rows.size / count;
  const { firsts, counts, inverse } = grouped(data, count, width);
  const picked = indexSelect(rows, 0, indicesLike(x, firsts, "unique"));
  return {
    values: dim === null ? picked : movedim(picked, 0, dim),
    inverse: options.returnInverse
      ? reshape(indicesLike(x, inverse, "unique"), dim === null ? x.shape : [count])
      : null,
    counts: options.returnCounts ? indicesLike(x, counts, "unique") : null,
  };
}

/** The distinct elements in rising order (torch.unique). Waits for the data, which decide the size; no gradient passes. */
export async function unique(x: Tensor, options: UniqueOptions = {}): Promise<Unique> {
  const rows = rowsOf(x, options);
  return finished(x, rows, await rows.data(), options);
}

/** As `unique`, at once; only on backends that can wait. */
export function uniqueSync(x: Tensor, options: UniqueOptions = {}): Unique {
  const rows = rowsOf(x, options);
  return finished(x, rows, rows.dataSync(), options);
}
