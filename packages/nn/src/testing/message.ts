import { isDescentError } from "@descent/tensor";

/** What the one error class says when `f` throws it. */
export function message(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (isDescentError(error)) return error.message;
    throw error;
  }
  return "nothing was thrown";
}
