import type { Value } from "@descent/backend";
import { checkOptions } from "../options.ts";
import { sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { eq } from "./compare.ts";
import { type Elementwise, elementwise, leading, type Operand, own, spec } from "./define.ts";
import { all } from "./reduce.ts";

export interface CloseOptions {
  /** Allowed difference relative to b. Default: 1e-5. */
  readonly rtol?: number;
  /** Allowed difference beside that. Default: 1e-8. */
  readonly atol?: number;
  /** Whether NaN is close to NaN. Default: false. */
  readonly equalNan?: boolean;
}

const near = (a: Value, b: Value, rtol: Value, atol: Value) => {
  const distance = a.sub(b).abs();
  const finite = distance.sub(distance).eq(0);
  return a.eq(b).or(finite.and(distance.le(b.abs().mul(rtol).add(atol))));
};
const toBool = { outputs: () => ["bool" as const] };
const plain = spec("isclose", near, leading(2, own), "isclose", toBool);
const withNan = spec(
  "isclose",
  (a, b, rtol, atol) => near(a, b, rtol, atol).or(a.ne(a).and(b.ne(b))),
  leading(2, own),
  "isclose nan",
  toBool,
);

/** Whether |a − b| ≤ atol + rtol · |b|, element by element (torch.isclose). */
export const isclose: Elementwise<[a: Operand, b: Operand, options?: CloseOptions]> = elementwise(
  (a, b, options = {}) => {
    checkOptions("isclose", options, ["rtol", "atol", "equalNan"]);
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
    return [equalNan ? withNan : plain, [a, b, rtol, atol]];
  },
);

/** Whether all elements are close (torch.allclose). Waits for the answer. */
export const allclose = async (a: Tensor, b: Tensor, options?: CloseOptions): Promise<boolean> =>
  Boolean(await all(isclose(a, b, options)).item());
/** As `allclose`, at once; only on backends that can wait. */
export const allcloseSync = (a: Tensor, b: Tensor, options?: CloseOptions): boolean =>
  Boolean(all(isclose(a, b, options)).itemSync());

/** Whether two tensors have the same shape and elements (torch.equal). Waits for the answer. */
export const equal = async (a: Tensor, b: Tensor): Promise<boolean> =>
  sameShape(a.shape, b.shape) && Boolean(await all(eq(a, b)).item());
/** As `equal`, at once; only on backends that can wait. */
export const equalSync = (a: Tensor, b: Tensor): boolean =>
  sameShape(a.shape, b.shape) && Boolean(all(eq(a, b)).itemSync());
