import type { Shape } from "@descent/backend";
import * as view from "../ops/view.ts";
import type { Tensor } from "../tensor.ts";
import { ReduceMethods } from "./reduce-methods.ts";

/** Methods about layout: views, joins and splits, selection by index. */
export abstract class ShapeMethods extends ReduceMethods {
  reshape(this: Tensor, shape: Shape): Tensor {
    return view.reshape(this, shape);
  }
}
