import { clone, contiguous } from "../ops/contiguous.ts";
import { flip, repeat, repeatInterleave, roll, tile } from "../ops/join.ts";
import { chunk, diag, diagonal, narrow, pad, select, slice, split, unbind } from "../ops/select.ts";
import { tril, triu } from "../ops/triangle.ts";
import {
  broadcastTo,
  expand,
  flatten,
  movedim,
  permute,
  reshape,
  squeeze,
  t,
  transpose,
  unflatten,
  unsqueeze,
  view,
} from "../ops/view.ts";
import { install, type Methods } from "./derived.ts";
import { ReduceMethods } from "./reduce-methods.ts";

const functions = {
  reshape,
  view,
  flatten,
  unflatten,
  permute,
  transpose,
  t,
  movedim,
  squeeze,
  unsqueeze,
  expand,
  broadcastTo,
  slice,
  narrow,
  select,
  diagonal,
  diag,
  split,
  chunk,
  unbind,
  pad,
  flip,
  roll,
  repeat,
  tile,
  repeatInterleave,
  tril,
  triu,
  clone,
  contiguous,
};

/** Methods about layout: views, splits and copies; these functions, with their first argument as `this`. */
export interface ShapeMethods extends Methods<typeof functions> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `install` defines what the interface declares.
export abstract class ShapeMethods extends ReduceMethods {}

install(ShapeMethods.prototype, functions as never, (f) => f);
