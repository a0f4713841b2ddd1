import { DescentError } from "./error.ts";
import { checkValue, finite, listOf, type Rule } from "./options.ts";

/** A saved scheduler: plain data in PyTorch's shape and spelling (`last_epoch`, `_last_lr`, …). */
export type StateDict = Record<string, unknown>;

/** One entry of a saved state: how to read it, write it and check it. */
export interface Field {
  readonly rule?: Rule;
  /** May be absent, in which case what was constructed stays. */
  readonly optional?: boolean;
  get(): unknown;
  set(value: never): void;
}

export type Fields = Readonly<Record<string, Field>>;

export const lrList: Rule = listOf(finite);

/** What PyTorch writes, or once wrote, beside the entries that matter. */
const ignored = new Set(["_is_initial", "_get_lr_called_within_step", "_step_count", "verbose", "anneal_func"]);

export const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A copy of plain data, so that no saved state shares a list or an object with a scheduler. */
export function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copied(item)]));
}

/** What the fields hold; one that gives undefined is left out. */
export const readFields = (fields: Fields): StateDict =>
  Object.fromEntries(
    Object.entries(fields)
      .map(([key, field]) => [key, copied(field.get())])
      .filter(([, value]) => value !== undefined),
  );

export function writeFields(fields: Fields, state: StateDict): void {
  for (const [key, field] of Object.entries(fields)) if (key in state) field.set(copied(state[key]) as never);
}

/** Throws unless `state` has every field, each with a fitting value, and no field of another class. */
export function checkFields(operation: string, fields: Fields, state: StateDict): void {
  const title = `${operation}.loadStateDict`;
  if (typeof state !== "object" || state === null) {
    throw new DescentError("state", title, "takes what stateDict() returned", { state }, "Was the file read?");
  }
  const missing = Object.keys(fields).filter((key) => !fields[key]!.optional && !(key in state));
  const unexpected = Object.keys(state).filter((key) => !(key in fields) && !ignored.has(key));
  if (missing.length > 0 || unexpected.length > 0) {
    const hint = "Load each state into a scheduler of the class that saved it.";
    throw new DescentError("state", title, "the state is not one of this class", { missing, unexpected }, hint);
  }
  for (const [key, { rule }] of Object.entries(fields)) {
    if (rule && key in state) checkValue(title, key, state[key], rule, "The file may be damaged.", "state");
  }
}
