import { DescentError, nearest } from "@descent/backend";

/** Throws when `given` has an option that is not among `allowed`, naming the nearest one; undefined counts as absent. */
export function checkOptions(operation: string, given: object, allowed: readonly string[]): void {
  if (typeof given !== "object" || given === null)
    throw new DescentError("option", operation, "takes an options object", { given }, `For example { ${allowed[0]} }.`);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || allowed.includes(name)) continue;
    const hint = allowed.length > 0 ? `Did you mean "${nearest(name, allowed)}"?` : "It takes no options.";
    throw new DescentError("option", operation, "unknown option", { option: name }, hint);
  }
}
