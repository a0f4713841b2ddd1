import { type DType, Tensor, type Traced } from "@descent/tensor";
import type { Uniforms } from "./planned-update.ts";
import type { Rounding } from "./rounding.ts";

export type Bag = Record<string, unknown>;

/** A numeric option, in the order its numbers are handed to the update. */
export interface Numeric {
  readonly option: string;
  readonly isPair: boolean;
}

/** A group's options as launches need them; read anew only when one of them has changed. */
export interface Setting {
  /** The options it was read from, in the order of the table. */
  readonly given: readonly unknown[];
  /** What decides the program, and its spelling. */
  readonly o: Bag;
  readonly key: string;
  readonly numeric: readonly Numeric[];
  /** Values of the numeric options in a row. */
  readonly hypers: readonly (number | Tensor)[];
  /** State buffers, and what they are filled with at first. */
  readonly buffers: Readonly<Record<string, number>>;
  readonly names: readonly string[];
  readonly dtype: DType | null;
  readonly rounding: Rounding;
  /** The same without compensation, for parameters that need none; null: this one. */
  readonly plain: Setting | null;
  /** The programs for it, by dtype of the parameter. */
  readonly specs: Partial<Record<DType, Traced>>;
  /** The numbers last handed to a launch: parameters with equal counters share them. */
  shared: Uniforms | null;
}

/** Whether `group` still has the options that `setting` was read from. */
export function isCurrent({ given }: Setting, group: Bag, names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) {
    const now = group[names[i] as string];
    const then = given[i];
    if (now === then) continue;
    if (!Array.isArray(then) || !Array.isArray(now) || now.length !== then.length) return false;
    for (let k = 0; k < then.length; k++) if (now[k] !== then[k]) return false;
  }
  return true;
}

/** Reads the options `names` of a group; of those in `switches` it matters for the program whether they are zero. */
export function readSetting(
  name: string,
  group: Bag,
  names: readonly string[],
  switches: readonly string[],
  buffers: Readonly<Record<string, number>>,
): Setting {
  const numeric: Numeric[] = [];
  const hypers: (number | Tensor)[] = [];
  const o: Bag = {};
  let key = name;
  for (const option of names) {
    const value = group[option];
    const isPair = Array.isArray(value);
    if (isPair || typeof value === "number" || value instanceof Tensor) {
      numeric.push({ option, isPair });
      hypers.push(...((isPair ? value : [value]) as (number | Tensor)[]).map(scalar));
      if (!switches.includes(option)) continue;
      o[option] = value !== 0;
    } else o[option] = value;
    key += ` ${option}=${o[option]}`;
  }
  const { stateDtype = null, rounding = "nearest" } = o as { stateDtype?: DType | null; rounding?: Rounding };
  const kahan = rounding === "kahan" && !("compensation" in buffers);
  if (kahan) {
    const plain = readSetting(name, { ...group, rounding: "nearest" }, names, switches, buffers);
    const compensated = readSetting(name, group, names, switches, { ...buffers, compensation: 0 });
    return { ...compensated, plain };
  }
  return {
    // Pairs may be edited in place.
    given: names.map((option) => (Array.isArray(group[option]) ? [...(group[option] as [])] : group[option])),
    o,
    key,
    numeric,
    hypers,
    buffers,
    names: Object.keys(buffers),
    dtype: stateDtype,
    rounding,
    plain: null,
    specs: {},
    shared: null,
  };
}

/** A hyperparameter that is a tensor, without axes. */
const scalar = (x: number | Tensor): number | Tensor => (typeof x === "number" || x.ndim === 0 ? x : x.reshape([]));
