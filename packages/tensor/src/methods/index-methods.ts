import type { Operand } from "../ops/define.ts";
import { gather, indexSelect, takeAlongDim } from "../ops/gather.ts";
import { copyInto, inPlace } from "../ops/in-place.ts";
import { maskedFill, maskedSelect, maskedSelectSync, nonzero, nonzeroSync } from "../ops/masked.ts";
import { argsort, kthvalue, sort, topk } from "../ops/order.ts";
import { type IndexAddOptions, indexAdd, indexCopy, indexFill, scatter, scatterAdd } from "../ops/scatter.ts";
import { unique, uniqueSync } from "../ops/unique.ts";
import type { Tensor } from "../tensor.ts";
import { install, type Methods } from "./derived.ts";
import { ShapeMethods } from "./shape-methods.ts";

const functions = {
  gather,
  indexSelect,
  takeAlongDim,
  scatter,
  scatterAdd,
  indexAdd,
  indexCopy,
  indexFill,
  maskedFill,
  maskedSelect,
  maskedSelectSync,
  nonzero,
  nonzeroSync,
  sort,
  argsort,
  topk,
  kthvalue,
  unique,
  uniqueSync,
};

/** Methods that select by index, mask or order: these functions, with their first argument as `this`. */
export interface IndexMethods extends Methods<typeof functions> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `install` defines what the interface declares.
export abstract class IndexMethods extends ShapeMethods {
  maskedFill_(this: Tensor, mask: Tensor, value: Operand): Tensor {
    return inPlace(maskedFill.of(this, mask, value));
  }
  scatter_(this: Tensor, dim: number, index: Tensor, source: Tensor | number): Tensor {
    return copyInto(this, scatter(this, dim, index, source));
  }
  scatterAdd_(this: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
    return copyInto(this, scatterAdd(this, dim, index, source));
  }
  indexAdd_(this: Tensor, dim: number, index: Tensor, source: Tensor, options?: IndexAddOptions): Tensor {
    return copyInto(this, indexAdd(this, dim, index, source, options));
  }
  indexCopy_(this: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
    return copyInto(this, indexCopy(this, dim, index, source));
  }
  indexFill_(this: Tensor, dim: number, index: Tensor, value: number): Tensor {
    return copyInto(this, indexFill(this, dim, index, value));
  }
}

install(IndexMethods.prototype, functions as never, (f) => f);
