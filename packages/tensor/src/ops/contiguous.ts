import { record } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { copyOf } from "./elementwise.ts";

/** `x` in row-major order: itself when it lies so already. */
export const contiguous = (x: Tensor): Tensor => (x.isContiguous ? x : clone(x));

/** A row-major copy that gradients pass through. */
export const clone = (x: Tensor): Tensor => record("clone", [x], copyOf(x), (g) => [g]);
