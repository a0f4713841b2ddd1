import { gather, indexSelect, takeAlongDim } from "../ops/gather.ts";
import { maskedFill, maskedSelect, maskedSelectSync, nonzero, nonzeroSync } from "../ops/masked.ts";
import { argsort, kthvalue, sort, topk } from "../ops/order.ts";
import { indexAdd, indexCopy, scatter, scatterAdd } from "../ops/scatter.ts";
import { unique, uniqueSync } from "../ops/unique.ts";
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
export abstract class IndexMethods extends ShapeMethods {}

install(IndexMethods.prototype, functions as never, (f) => f);
