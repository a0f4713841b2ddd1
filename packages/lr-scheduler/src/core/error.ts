/** What went wrong, for programs: the same codes as in every other package of Descent. */
export type ErrorCode =
  | "argument" // a value out of range, or of the wrong type
  | "option" // an unknown or missing option
  | "state" // a saved state that does not fit
  | "numeric"; // a NaN or an infinity where none may be

const marker = Symbol.for("descent.error");

/** Facts print as `name value`, one a line. */
export type Facts = Readonly<Record<string, unknown>>;

/** The text of a value in a message. */
export const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
};

/**
 * The one error class of Descent, repeated here because this package imports nothing. Its message is the operation and
 * the fault, then the facts, then one hint:
 *
 * ```text
 * StepLR: stepSize must be a positive number
 *   stepSize 0
 * Pass the number of epochs between two decays.
 * ```
 */
export class DescentError extends Error {
  override readonly name = "DescentError";
  readonly [marker] = true;
  readonly code: ErrorCode;
  readonly operation: string;
  readonly facts: Facts;
  readonly hint: string;

  constructor(code: ErrorCode, operation: string, fault: string, facts: Facts = {}, hint = "") {
    const names = Object.keys(facts);
    const width = Math.max(0, ...names.map((name) => name.length));
    const lines = names.map((name) => `  ${name.padEnd(width)} ${show(facts[name])}`);
    super([`${operation}: ${fault}`, ...lines, ...(hint ? [hint] : [])].join("\n"));
    this.code = code;
    this.operation = operation;
    this.facts = facts;
    this.hint = hint;
  }
}

/** Whether `error` is a DescentError, also when it comes from another package or another copy of this one. */
export const isDescentError = (error: unknown): error is DescentError =>
  typeof error === "object" && error !== null && marker in error;
