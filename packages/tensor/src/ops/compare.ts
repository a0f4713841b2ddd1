import type { Tensor } from "../tensor.ts";
import { comparison, logical, type Operand, predicate } from "./define.ts";
import * as formulas from "./formulas.ts";

/** Comparisons, element by element: bool tensors. Everything compared with NaN is false, except `ne`. */
export const eq = comparison("eq", (a, b) => a.eq(b));
export const ne = comparison("ne", (a, b) => a.ne(b));
export const lt = comparison("lt", (a, b) => a.lt(b));
export const le = comparison("le", (a, b) => a.le(b));
export const gt = comparison("gt", (a, b) => a.gt(b));
export const ge = comparison("ge", (a, b) => a.ge(b));

/** Logic on truth values: whatever is not 0 counts as true. */
export const logicalAnd = logical<[a: Operand, b: Operand]>("logicalAnd", (a, b) => a.and(b));
export const logicalOr = logical<[a: Operand, b: Operand]>("logicalOr", (a, b) => a.or(b));
export const logicalXor = logical<[a: Operand, b: Operand]>("logicalXor", (a, b) => a.xor(b));
export const logicalNot = logical<[x: Tensor]>("logicalNot", (x) => x.not());

export const isnan = predicate("isnan", (x) => x.ne(x));
export const isinf = predicate("isinf", formulas.infinite);
/** Neither infinite nor NaN. */
export const isfinite = predicate("isfinite", formulas.finite);
