import { noGrad } from "@descent/autograd";
import { DescentError, nearest, Tensor } from "@descent/tensor";

/** Tensors by dotted name, as PyTorch saves them. */
export type StateDict = Readonly<Record<string, Tensor>>;

/** What did not match in a `loadStateDict`. */
export interface LoadResult {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
}

const shapeOf = (t: Tensor): string => `[${t.shape.join(", ")}]`;

/** Copies `state` into `own`: everything is checked before anything is changed. */
export function load(
  module: string,
  own: ReadonlyMap<string, Tensor>,
  state: StateDict,
  { strict = true }: { readonly strict?: boolean },
): LoadResult {
  checkState(module, state);
  const missingKeys = [...own.keys()].filter((key) => !Object.hasOwn(state, key));
  const unexpectedKeys = Object.keys(state).filter((key) => !own.has(key));
  const shared = [...own].filter(([key]) => Object.hasOwn(state, key));
  const facts: Record<string, unknown> = {};
  if (strict && missingKeys.length > 0) facts["missing keys"] = missingKeys;
  if (strict && unexpectedKeys.length > 0) facts["unexpected keys"] = unexpectedKeys;
  const keysDiffer = Object.keys(facts).length > 0;
  for (const [key, target] of shared) {
    const saved = state[key] as Tensor;
    if (shapeOf(saved) !== shapeOf(target)) facts[key] = `saved ${shapeOf(saved)}, expected ${shapeOf(target)}`;
  }
  if (Object.keys(facts).length > 0) {
    const hint = keysDiffer
      ? hintFor(missingKeys, unexpectedKeys)
      : "Build the model with the sizes it was saved with.";
    throw new DescentError("state", `${module}.loadStateDict`, "the state does not fit", facts, hint);
  }
  // Moving to another backend can fail; copying cannot.
  const values = shared.map(([key, target]) => (state[key] as Tensor).detach().to(target.backend));
  noGrad(() => shared.forEach(([, target], i) => void target.copy_(values[i] as Tensor)));
  return { missingKeys, unexpectedKeys };
}

function checkState(module: string, state: StateDict): void {
  const given: unknown = state;
  const entries = typeof given === "object" && given !== null ? Object.entries(given) : null;
  const odd = entries?.find(([, value]) => !(value instanceof Tensor));
  if (entries && !odd) return;
  const facts = odd ? { key: odd[0], got: typeof odd[1] } : { got: given === null ? "null" : typeof given };
  const hint = "Pass what stateDict() gave, or tensors by the same names.";
  throw new DescentError("argument", `${module}.loadStateDict`, "takes tensors by name", facts, hint);
}

function hintFor(missing: readonly string[], unexpected: readonly string[]): string {
  const [wanted] = missing;
  if (wanted === undefined || unexpected.length === 0)
    return "Pass { strict: false } to leave out keys that do not match.";
  return `Is "${nearest(wanted, unexpected)}" meant for "${wanted}"? { strict: false } leaves out keys that do not match.`;
}
