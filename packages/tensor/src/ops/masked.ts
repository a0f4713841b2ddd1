import { DescentError, type Mask } from "@descent/backend";
import { broadcastShapes, showShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type Elementwise, elementwise, type Operand, spec } from "./define.ts";
import { indicesLike } from "./fresh.ts";
import { indexSelect } from "./gather.ts";
import { expand, flatten, reshape, transpose } from "./view.ts";

function checkMask(operation: string, mask: Tensor): void {
  if (mask?.dtype === "bool") return;
  const hint = "Compare first, for example x.gt(0).";
  throw new DescentError("dtype", operation, "the mask is not a bool tensor", { mask: mask?.dtype }, hint);
}

const fillSpec = spec(
  "maskedFill",
  (x, mask, value) => (mask as unknown as Mask).select(value, x),
  () => (x) => (x[0] as Tensor).dtype,
  "maskedFill",
  { takes: ["number", "mask", "number"] },
);

/** `value` (a number, or a tensor without axes; converted to the dtype of x) where `mask` holds, `x` elsewhere; x and mask broadcast (torch.masked_fill). */
export const maskedFill: Elementwise<[x: Tensor, mask: Tensor, value: Operand]> = elementwise((x, mask, value) => {
  checkMask("maskedFill", mask);
  if (typeof value !== "number" && value.ndim > 0) {
    const facts = { value: showShape(value.shape) };
    throw new DescentError("shape", "maskedFill", "takes one value", facts, "Use where(mask, a, b) for many.");
  }
  return [fillSpec, [x, mask, value]];
});

/** Places where `data` is not 0, in row-major order. */
function places(data: ArrayLike<number>): number[] {
  const found: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) found.push(i);
  return found;
}

function selected(x: Tensor, mask: Tensor, data: ArrayLike<number>): Tensor {
  const shape = broadcastShapes("maskedSelect", [x.shape, mask.shape]);
  return indexSelect(flatten(expand(x, shape)), 0, indicesLike(x, places(data), "maskedSelect"));
}

function broadcastMask(x: Tensor, mask: Tensor): Tensor {
  checkMask("maskedSelect", mask);
  return expand(mask, broadcastShapes("maskedSelect", [x.shape, mask.shape]));
}

/** The elements where `mask` holds, as one axis (torch.masked_select). Waits for the mask, whose values decide the size. */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  return selected(x, mask, await broadcastMask(x, mask).data());
}
/** As `maskedSelect`, at once; only on backends that can wait. */
export const maskedSelectSync = (x: Tensor, mask: Tensor): Tensor =>
  selected(x, mask, broadcastMask(x, mask).dataSync());

function indices(x: Tensor, data: ArrayLike<number>): Tensor {
  const found = places(data);
  const columns: number[] = [];
  let step = x.size;
  for (const extent of x.shape) {
    step /= extent;
    for (const place of found) columns.push(Math.floor(place / step) % extent);
  }
  return transpose(reshape(indicesLike(x, columns, "nonzero"), [x.ndim, found.length]), 0, 1);
}

/** Indices of the elements that are not 0, one row each (torch.nonzero), as int64. Waits for the data. */
export async function nonzero(x: Tensor): Promise<Tensor> {
  return indices(x, await x.data());
}
/** As `nonzero`, at once; only on backends that can wait. */
export function nonzeroSync(x: Tensor): Tensor {
  return indices(x, x.dataSync());
}
