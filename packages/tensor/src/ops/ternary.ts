import { DescentError, type Value } from "@descent/backend";
import { checkOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import {
  type Elementwise,
  elementwise,
  floats,
  type Launchable,
  leading,
  numbers,
  type Operand,
  own,
  spec,
} from "./define.ts";
import { clamped, lerped } from "./formulas.ts";

/** a + weight · (b − a): weight 0 gives a, 1 gives b. All of one floating point dtype. */
export const lerp: Elementwise<[a: Tensor, b: Tensor, weight: Operand]> = (() => {
  const traced = spec("lerp", lerped, leading(2, floats));
  return elementwise((a, b, weight) => {
    if (a?.dtype !== b?.dtype)
      throw new DescentError(
        "dtype",
        "lerp",
        "the two ends differ in dtype",
        { start: a?.dtype, end: b?.dtype },
        "Convert one with to(dtype).",
      );
    return [traced, [a, b, weight]];
  });
})();

export interface ValueOptions {
  /** Factor of the product or quotient. Default: 1. */
  readonly value?: number;
}

type Combined = Elementwise<[x: Tensor, a: Tensor, b: Tensor, options?: ValueOptions]>;

function combined(name: string, rule: typeof own, f: (a: Value, b: Value) => Value): Combined {
  const traced = spec(name, (x, a, b, value) => x.add(f(value.mul(a), b)), leading(3, rule));
  return elementwise((x, a, b, options = {}) => {
    checkOptions(name, options, ["value"]);
    return [traced, [x, a, b, options.value ?? 1]];
  });
}
/** x + value · a · b. */
export const addcmul: Combined = combined("addcmul", own, (a, b) => a.mul(b));
/** x + value · a / b, in floating point. */
export const addcdiv: Combined = combined("addcdiv", floats, (a, b) => a.div(b));

export interface ClampOptions {
  readonly min?: Operand | null;
  readonly max?: Operand | null;
}

const clamps = {
  both: spec("clamp", (x, min, max) => clamped(x, min, max), numbers),
  min: spec("clamp", (x, min) => clamped(x, min, null), numbers, "clamp min"),
  max: spec("clamp", (x, max) => clamped(x, null, max), numbers, "clamp max"),
};

/**
 * x limited to [min, max] (numbers or tensors, either may be left out): `clamp(x, 0, 1)`, `clamp(x, { min: 0 })`. max wins
 * where the two cross. At the bounds the gradient passes.
 */
export const clamp: Elementwise<[x: Tensor, min?: Operand | null | ClampOptions, max?: Operand | null]> = elementwise(
  (x, min, max) => {
    if (typeof min === "object" && min !== null && !("storage" in min)) {
      checkOptions("clamp", min, ["min", "max"]);
      return limits(x, min.min ?? null, min.max ?? null);
    }
    return limits(x, (min as Operand | null) ?? null, max ?? null);
  },
);

function limits(x: Tensor, min: Operand | null, max: Operand | null): Launchable {
  if (min !== null && max !== null) return [clamps.both, [x, min, max]];
  if (min !== null) return [clamps.min, [x, min]];
  if (max !== null) return [clamps.max, [x, max]];
  throw new DescentError("argument", "clamp", "takes a min, a max or both", {}, "For example clamp(x, 0, 1).");
}
/** x, but at least `min`. */
export const clampMin: Elementwise<[x: Tensor, min: Operand]> = elementwise((x, min) => limits(x, min, null));
/** x, but at most `max`. */
export const clampMax: Elementwise<[x: Tensor, max: Operand]> = elementwise((x, max) => limits(x, null, max));
