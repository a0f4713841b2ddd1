import { decode, type FixtureTensor, type RawTensor, type TypedArray } from "./fixtures.ts";

function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) {
    strides[i] = (strides[i + 1] as number) * (shape[i + 1] as number);
  }
  return strides;
}

/** Calls `visit` with every multi-index of `shape` in row-major order. */
function walk(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const size = shape.reduce((a, b) => a * b, 1);
  const strides = rowMajor(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(
      shape.map((n, i) => Math.floor(flat / (strides[i] as number)) % n),
      flat,
    );
  }
}

/**
 * The contiguous base a recorded input was a view of. Rebuild the view from it with the tensor's `layout`:
 * `base.permute(permute)`, `base.slice(dim, start, start + step * shape[dim], step)`, or `base.expand(shape)`.
 * Places outside a sliced view hold 77, so that reading them shows.
 */
export function baseOf(raw: RawTensor): FixtureTensor {
  const tensor = decode(raw);
  const { shape, layout } = tensor;
  if (layout === undefined) return tensor;
  if ("permute" in layout) {
    const order = layout.permute;
    const baseShape = new Array<number>(shape.length);
    order.forEach((from, to) => {
      baseShape[from] = shape[to] as number;
    });
    return fill(tensor, baseShape, (index) => {
      const at = new Array<number>(shape.length);
      order.forEach((from, to) => {
        at[from] = index[to] as number;
      });
      return at;
    });
  }
  if ("slice" in layout) {
    const { dim, start, step } = layout.slice;
    const baseShape = shape.map((n, i) => (i === dim ? start + n * step : n));
    return fill(tensor, baseShape, (index) => index.map((n, i) => (i === dim ? start + n * step : n)));
  }
  const stretched = new Set(layout.expand);
  const baseShape = shape.map((n, i) => (stretched.has(i) ? 1 : n));
  return fill(tensor, baseShape, (index) => index.map((n, i) => (stretched.has(i) ? 0 : n)));
}

function fill(
  tensor: FixtureTensor,
  shape: readonly number[],
  place: (index: readonly number[]) => readonly number[],
): FixtureTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const ArrayType = tensor.data.constructor as new (length: number) => TypedArray;
  const data = new ArrayType(size).fill(tensor.dtype === "bool" ? 1 : 77);
  const strides = rowMajor(shape);
  walk(tensor.shape, (index, flat) => {
    const offset = place(index).reduce((sum, n, i) => sum + n * (strides[i] as number), 0);
    data[offset] = tensor.data[flat] as number;
  });
  return { dtype: tensor.dtype, shape, data };
}
