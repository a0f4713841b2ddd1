import type { Op } from "@descent/backend";

/**
 * Units in the last place that the device may be off where the op table asks for less. Division and square roots are the
 * device's: https://www.w3.org/TR/WGSL/#floating-point-accuracy allows 2.5 for x / y, and sqrt inherits from 1 / inverseSqrt,
 * whose own 2 come before that division. Every other function is written out of exact operations and divisions.
 */
export const tolerance: Partial<Record<Op, number>> = {
  div: 2.5,
  sqrt: 4.5,
  // exp2 of a product whose error grows with the exponent; the table allows pow what exp2(y · log2 x) has, hundreds at 2^100.
  pow: 16,
};

export const skip = [
  {
    test: "ops / remainder / f32 / small",
    reason: "the remainder, to which the divisor is added, is a subnormal number, which the device may take for 0",
  },
];
