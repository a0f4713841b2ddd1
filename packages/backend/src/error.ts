/** What went wrong, for programs: stable across releases. */
export type ErrorCode =
  | "argument" // a value out of range, or of the wrong type
  | "option" // an unknown or missing option
  | "shape" // shapes that do not fit
  | "dtype" // an element type that does not fit
  | "device" // tensors of different backends, or no backend
  | "freed" // use of memory that was given back
  | "memory" // memory that cannot be had
  | "closed" // use of a closed backend
  | "gradient" // autograd misuse
  | "state" // a saved state that does not fit
  | "data" // a malformed data file
  | "numeric" // a NaN or an infinity where none may be
  | "unsupported" // something this backend or engine cannot do
  | "program" // an ill-formed program
  | "internal"; // a defect in Descent

const marker = Symbol.for("descent.error");

/** Facts print as `name value`, one a line. */
export type Facts = Readonly<Record<string, unknown>>;

const show = (value: unknown): string =>
  typeof value === "string" ? value : Array.isArray(value) ? `[${value.join(", ")}]` : String(value);

/**
 * The one error class of Descent. Its message is the operation and the fault, then the facts, then one hint:
 *
 * ```text
 * matmul: inner sizes differ
 *   left  [32, 784]
 *   right [10, 784]
 * Did you mean right.transpose(0, 1)?
 * ```
 */
export class DescentError extends Error {
  override readonly name = "DescentError";
  readonly [marker] = true;
  readonly code: ErrorCode;
  readonly operation: string;
  readonly facts: Facts;
  readonly hint: string;

  constructor(code: ErrorCode, operation: string, fault: string, facts: Facts = {}, hint = "", options?: ErrorOptions) {
    const names = Object.keys(facts);
    const width = Math.max(0, ...names.map((name) => name.length));
    const lines = names.map((name) => `  ${name.padEnd(width)} ${show(facts[name])}`);
    super([`${operation}: ${fault}`, ...lines, ...(hint ? [hint] : [])].join("\n"), options);
    this.code = code;
    this.operation = operation;
    this.facts = facts;
    this.hint = hint;
  }
}

/** Whether `error` is a DescentError, also when it comes from another copy of the package. */
export const isDescentError = (error: unknown): error is DescentError =>
  typeof error === "object" && error !== null && marker in error;
