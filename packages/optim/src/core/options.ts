import { checkOptions, DescentError, Tensor } from "@descent/tensor";

/** One option: its default, and what a value must be, in words for the message and as a test. */
export interface Option<T = unknown> {
  readonly default: T;
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  /** Whether a loaded state cannot change it. */
  readonly forced?: boolean;
}

/** Every option of an optimizer. */
export type OptionTable<O> = { readonly [K in keyof O]-?: Option<O[K]> };

/** Options as a caller gives them: all may be left out, and a number may be a tensor of one element. */
export type Given<O> = {
  readonly [K in keyof O]?: O[K] extends number
    ? number | Tensor
    : O[K] extends readonly [number, number]
      ? readonly [number | Tensor, number | Tensor]
      : O[K];
};

/** What a number must be, in words and as a test. */
export type Range = readonly [expected: string, test: (x: number) => boolean];
export const finite: Range = ["a finite number", () => true];
export const nonNegative: Range = ["a finite number of at least 0", (x) => x >= 0];
export const positive: Range = ["a finite number above 0", (x) => x > 0];
export const unit: Range = ["at least 0 and below 1", (x) => x >= 0 && x < 1];
export const fraction: Range = ["from 0 to 1", (x) => x >= 0 && x <= 1];
export const belowOne: Range = ["above 0 and below 1", (x) => x > 0 && x < 1];
export const aboveOne: Range = ["above 1", (x) => x > 1];
export const atMostZero: Range = ["a finite number of at most 0", (x) => x <= 0];
export const oneAndMore: Range = ["a finite number of at least 1", (x) => x >= 1];
export const natural: Range = ["an integer of at least 0", (x) => x >= 0 && Number.isInteger(x)];

const inside = ([, test]: Range, x: unknown): boolean => typeof x === "number" && Number.isFinite(x) && test(x);
const isScalar = (x: unknown): boolean => x instanceof Tensor && x.size === 1;

/** A number that only the host sees. */
export const number = (value: number, range: Range): Option<number> => ({
  default: value,
  expected: range[0],
  accepts: (x) => inside(range, x),
});

/** A number that goes into the update as it is, hence may be a tensor of one element. */
export const hyper = (value: number, range: Range): Option<number> => ({
  default: value,
  expected: `${range[0]} (or a tensor of one element)`,
  accepts: (x) => inside(range, x) || isScalar(x),
});

export type Pair = readonly [number, number];

const pairOf = (
  value: Pair,
  [first, second]: readonly [Range, Range],
  scalar: (x: unknown) => boolean,
): Option<Pair> => ({
  default: value,
  expected: first === second ? `two numbers, each ${first[0]}` : `two numbers, ${first[0]} and ${second[0]}`,
  accepts: (x) =>
    Array.isArray(x) &&
    x.length === 2 &&
    (inside(first, x[0]) || scalar(x[0])) &&
    (inside(second, x[1]) || scalar(x[1])),
});

/** Two numbers that only the host sees, each in `first`, or each in its own range. */
export const pair = (value: Pair, first: Range, second: Range = first): Option<Pair> =>
  pairOf(value, [first, second], () => false);

/** Two numbers that go into the update as they are, hence may be tensors of one element. */
export const hyperPair = (value: Pair, range: Range): Option<Pair> => pairOf(value, [range, range], isScalar);

export const flag = (value: boolean): Option<boolean> => ({
  default: value,
  expected: "true or false",
  accepts: (x) => typeof x === "boolean",
});

/** A value that cannot be chosen. */
export const fixed = <T>(value: T): Option<T> => ({
  default: value,
  expected: String(value),
  accepts: (x) => x === value,
  forced: true,
});

export const choice = <T extends string | null>(value: T, all: readonly T[]): Option<T> => ({
  default: value,
  expected: all.map((x) => (x === null ? "null" : `"${x}"`)).join(" or "),
  accepts: (x) => all.includes(x as T),
});

/** Options of PyTorch that pick an implementation. Every update here is one fused launch, so there is nothing to pick. */
export const implementationOptions = { foreach: null, capturable: false, fused: null } as const;
export type ImplementationOption = keyof typeof implementationOptions;

/** Options that PyTorch does not have. A saved state names them only where they differ from these; one saved there says nothing of them. */
export const ownOptions: Readonly<Record<string, unknown>> = { stateDtype: null, rounding: "nearest" };

/** Throws for a name that is no option. */
export function checkNames(
  operation: string,
  given: object,
  table: OptionTable<object>,
  extra: readonly string[],
): void {
  for (const name of Object.keys(given)) {
    if (!(name in implementationOptions)) continue;
    const hint = "Leave it out: every update here is fused, on every backend.";
    throw new DescentError(
      "option",
      operation,
      "this option of PyTorch picks an implementation",
      { option: name },
      hint,
    );
  }
  checkOptions(operation, given, [...Object.keys(table), ...extra]);
}

/** Throws for a value of `options` that its table does not accept; `place` says where it stands. */
export function checkValues(
  operation: string,
  options: object,
  table: OptionTable<object>,
  place: Readonly<Record<string, unknown>> = {},
): void {
  for (const [name, { expected, accepts }] of Object.entries(table as Record<string, Option>)) {
    const value = (options as Record<string, unknown>)[name];
    if (!accepts(value)) {
      const shown = value instanceof Tensor ? `a tensor of shape [${value.shape.join(", ")}]` : value;
      throw new DescentError("argument", operation, `${name} must be ${expected}`, { [name]: shown, ...place });
    }
  }
}

/** weightDecay ↔ weight_decay: options are camelCase, saved states are spelled as PyTorch's. */
export const toSnake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const toCamel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
