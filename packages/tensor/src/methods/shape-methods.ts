import { at, unfold } from "../ops/at.ts";
import { clone, contiguous } from "../ops/contiguous.ts";
import { copyInto } from "../ops/in-place.ts";
import { flip, repeat, repeatInterleave, roll, tile } from "../ops/join.ts";
import { pad } from "../ops/pad.ts";
import { chunk, diag, diagonal, narrow, select, slice, split, unbind } from "../ops/select.ts";
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
import type { Tensor } from "../tensor.ts";
import { install, type Methods } from "./derived.ts";
import { ReduceMethods } from "./reduce-methods.ts";

const functions = {
  at,
  unfold,
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
export abstract class ShapeMethods extends ReduceMethods {
  /** Number of axes, and of elements. */
  dim(): number {
    return this.ndim;
  }
  numel(): number {
    return this.size;
  }
  /** The transpose of a matrix; with more axes, all of them in reverse. */
  get T(): Tensor {
    const x = this as unknown as Tensor;
    return permute(x, [...x.shape.keys()].reverse());
  }
  /** The last two axes exchanged. */
  get mT(): Tensor {
    return transpose(this as unknown as Tensor, -2, -1);
  }
  ravel(this: Tensor): Tensor {
    return flatten(this);
  }
  /** In the shape of another tensor. */
  viewAs(this: Tensor, other: Tensor): Tensor {
    return view(this, other.shape);
  }
  reshapeAs(this: Tensor, other: Tensor): Tensor {
    return reshape(this, other.shape);
  }
  expandAs(this: Tensor, other: Tensor): Tensor {
    return expand(this, other.shape);
  }
  /** In place: zeros above, or below, a diagonal. */
  tril_(this: Tensor, diagonal = 0): Tensor {
    return copyInto(this, tril(this, diagonal));
  }
  triu_(this: Tensor, diagonal = 0): Tensor {
    return copyInto(this, triu(this, diagonal));
  }
}

install(ShapeMethods.prototype, functions as never, (f) => f);
