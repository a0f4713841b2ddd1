import { DescentError, type ErrorCode, show } from "./error.ts";
import { nearest } from "./nearest.ts";

/** What a value must be: words for the message, and the test. */
export interface Rule {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

const rule = (expected: string, accepts: (value: unknown) => boolean): Rule => ({ expected, accepts });
const numeric = (expected: string, test: (value: number) => boolean): Rule =>
  rule(expected, (value) => typeof value === "number" && Number.isFinite(value) && test(value));

export const finite: Rule = numeric("a finite number", () => true);
export const nonNegative: Rule = numeric("a number of at least 0", (value) => value >= 0);
export const positive: Rule = numeric("a number above 0", (value) => value > 0);
export const positiveInteger: Rule = numeric("a positive integer", (value) => value > 0 && Number.isInteger(value));
export const naturalNumber: Rule = numeric("an integer of at least 0", (v) => v >= 0 && Number.isInteger(v));
export const fraction: Rule = numeric("a number from 0 to 1", (value) => value >= 0 && value <= 1);
export const boolean: Rule = rule("true or false", (value) => typeof value === "boolean");
export const callable: Rule = rule("a function", (value) => typeof value === "function");
export const epochBefore: Rule = numeric("an integer of at least -1", (v) => v >= -1 && Number.isInteger(v));

export const oneOf = (...choices: readonly string[]): Rule =>
  rule(
    choices
      .map((choice) => `"${choice}"`)
      .join(", ")
      .replace(/, (?=[^,]*$)/, " or "),
    (value) => choices.includes(value as string),
  );

export const listOf = (item: Rule): Rule =>
  rule(`a list, each ${item.expected}`, (value) => Array.isArray(value) && value.every((x) => item.accepts(x)));

export const orListOf = (item: Rule): Rule =>
  rule(`${item.expected}, or a list of such, one per group`, (v) => item.accepts(v) || listOf(item).accepts(v));

/** One option: what it may be, its default (none: it is required), its key in a saved state (default: snake case). */
export interface Option {
  readonly rule: Rule;
  readonly default?: unknown;
  readonly key?: string;
}

export type OptionTable<O> = { readonly [Name in keyof O]-?: Option };

/** Throws unless `value` is as the rule says. */
export function checkValue(
  operation: string,
  name: string,
  value: unknown,
  { expected, accepts }: Rule,
  hint = "",
  code: ErrorCode = "argument",
): void {
  if (!accepts(value)) throw new DescentError(code, operation, `${name} must be ${expected}`, { [name]: value }, hint);
}

/** `given` with defaults filled in; throws for an unknown option, a missing one, or a value out of range. */
export function settle<O extends object>(operation: string, given: object, table: OptionTable<O>): Required<O> {
  const names = Object.keys(table) as (keyof O & string)[];
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const hint = `Name the options: { ${names.join(", ")} }.`;
    throw new DescentError("argument", operation, "takes an options object", { given }, hint);
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name as keyof O & string));
  if (unknown !== undefined) {
    const hint = `Did you mean "${nearest(unknown, names)}"?`;
    throw new DescentError("option", operation, `unknown option "${unknown}"`, { options: names }, hint);
  }
  const settled = names.map((name) => {
    const { rule, ...option } = table[name];
    const value = (given as O)[name] ?? option.default;
    if (value === undefined && "default" in option) return [name, undefined];
    if (value === undefined) {
      throw new DescentError("option", operation, `option "${name}" is missing`, {}, `It must be ${rule.expected}.`);
    }
    const hint = option.default === undefined ? "" : `It defaults to ${show(option.default)}.`;
    checkValue(operation, name, value, rule, hint);
    // The caller's list stays the caller's.
    return [name, Array.isArray(value) ? [...value] : value];
  });
  return Object.fromEntries(settled) as Required<O>;
}

/** What every scheduler over epochs takes beside its own options. */
export interface ResumeOptions {
  /**
   * The last finished epoch, to resume without a saved scheduler. Default -1: a fresh start.
   * Groups then need their `initialLr`. An lr that still is the initial one is brought to that epoch; any other is taken
   * to come from a loaded optimizer state, and kept.
   */
  lastEpoch?: number;
}

const lastEpochOption: Option = { rule: epochBefore, default: -1 };

/** As `settle`, with `lastEpoch` apart. */
export function settleResumable<O extends object>(
  operation: string,
  given: object,
  table: OptionTable<O>,
): { readonly lastEpoch: number; readonly options: Required<O> } {
  const all = { ...table, lastEpoch: lastEpochOption } as OptionTable<O & { lastEpoch: number }>;
  const { lastEpoch, ...options } = settle<O & { lastEpoch: number }>(operation, given, all);
  return { lastEpoch: lastEpoch as number, options: options as unknown as Required<O> };
}

/** A setting of each group: one number for all, or a list. */
export type PerGroup<T = number> = T | readonly T[];

/** The setting of group `i`, out of `groups`. */
export function pick<T>(operation: string, name: string, value: PerGroup<T>, i: number, groups: number): T {
  if (!Array.isArray(value)) return value as T;
  if (value.length === groups) return value[i] as T;
  const fault = `${name} does not have one entry per parameter group`;
  const hint = "One entry that is no list serves all groups, also those added later.";
  throw new DescentError("argument", operation, fault, { entries: value.length, groups }, hint);
}

/** A list as it is saved, as a setting: one number again where all are equal. */
export const collapse = (list: readonly number[]): PerGroup =>
  list.every((value) => value === list[0]) ? list[0]! : list;
