import { DescentError, type Mask } from "@descent/backend";
import { resultType } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import { type Elementwise, elementwise, type Operand, spec } from "./define.ts";

const wherever = spec(
  "where",
  (condition, a, b) => (condition as unknown as Mask).select(a, b),
  () => (x) => resultType(x.slice(1)),
  "where",
  { takes: ["mask", "number", "number"] },
);

/** `a` where the bool tensor `condition` holds, `b` elsewhere; all three broadcast. */
export const where: Elementwise<[condition: Tensor, a: Operand, b: Operand]> = elementwise((condition, a, b) => {
  if (condition?.dtype !== "bool")
    throw new DescentError(
      "dtype",
      "where",
      "the condition is not a bool tensor",
      { dtype: condition?.dtype },
      "Compare first, for example x.gt(0).",
    );
  return [wherever, [condition, a, b]];
});
