import {
  DescentError,
  fromBfloat16,
  fromFloat16,
  mulHigh,
  pow,
  remainder,
  roundHalfEven,
  toBfloat16,
  toFloat16,
} from "@descent/backend";
import { contract } from "./contract.ts";
import { erf, erfc } from "./erf.ts";
import { exp32, tanh32 } from "./single.ts";
import { sortLine } from "./sort.ts";

let table: Float32Array | null = null;

/** Stretches of doubles that a launch may use as it likes; they last until the next launch. */
const lanes: Float64Array[] = [];

/** Lane `k`, of at least `length` doubles. */
function lane(k: number, length: number): Float64Array {
  let found = lanes[k];
  if (found === undefined || found.length < length) {
    found = new Float64Array(length);
    lanes[k] = found;
  }
  return found;
}

function outOfRange(label: string, index: number, extent: number): never {
  const hint = extent > 0 ? `Indices run from 0 to ${extent - 1}.` : "The axis is empty.";
  throw new DescentError("argument", label, "index out of range", { index, extent }, hint);
}

/** What generated code may call, by the names it uses. */
export const runtime = {
  erf,
  erfc,
  exp32,
  tanh32,
  pow,
  remainder,
  roundHalfEven,
  mulHigh,
  fromBfloat16,
  toBfloat16,
  toFloat16,
  /** Truncates towards zero and saturates; NaN gives 0. */
  saturateInt: (x: number): number => (x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0),
  saturateUint: (x: number): number => (x >= 4294967295 ? 4294967295 : x > 0 ? x >>> 0 : 0),
  lane,
  contract,
  sortLine,
  outOfRange,
  /** Every float16, by its bits. */
  get halves(): Float32Array {
    table ??= Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16(bits));
    return table;
  },
};

export type Runtime = typeof runtime;
