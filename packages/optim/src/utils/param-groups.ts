import { checkOptions, DescentError, type Tensor } from "@descent/tensor";
import { type Match, matches, type NamedParameters, namedParameters } from "./named.ts";

/** A group of parameters with names, for the constructor of an optimizer. */
export type NamedGroup<O extends object = Record<string, unknown>> = {
  readonly params: (readonly [string, Tensor])[];
} & O;

export interface ParamGroupsOptions {
  /** Parameters that get `weightDecay: 0`: patterns, names or functions. Default: every parameter with fewer than two axes. */
  readonly noDecay?: readonly Match[];
  /** Options for some parameters, such as another lr; a parameter takes those of the first match. Default: none. */
  readonly overrides?: readonly { readonly match: Match; readonly [option: string]: unknown }[];
}

const fewAxes: Match = (_, { ndim }) => ndim < 2;

/**
 * The parameters of a model as groups for an optimizer: biases and norms without weight decay, and whatever `overrides` say. A match
 * that picks nothing is an error.
 *
 * @example
 * const groups = paramGroups(model, { noDecay: [/bias$/, /norm/], overrides: [{ match: /^head\./, lr: 1e-2 }] });
 * const optimizer = new AdamW(groups, { lr: 1e-3, weightDecay: 0.1 });
 */
export function paramGroups(model: NamedParameters, options: ParamGroupsOptions = {}): NamedGroup[] {
  checkOptions("paramGroups", options, ["noDecay", "overrides"]);
  const { noDecay, overrides = [] } = options;
  const params = namedParameters("paramGroups", model);
  for (const match of [...(noDecay ?? []), ...overrides.map((o) => o.match)]) {
    if (params.some(([name, p]) => matches(match, name, p))) continue;
    const facts = { match: String(match), names: params.map(([name]) => name) };
    throw new DescentError("argument", "paramGroups", "a match picks no parameter", facts, "Is it misspelt?");
  }
  const groups = new Map<string, NamedGroup>();
  for (const pair of params) {
    const at = overrides.findIndex(({ match }) => matches(match, ...pair));
    const bare = (noDecay ?? [fewAxes]).some((match) => matches(match, ...pair));
    const key = `${at} ${bare}`;
    const group = groups.get(key);
    if (group) group.params.push(pair);
    else {
      const { match: _, ...own } = overrides[at] ?? {};
      groups.set(key, { params: [pair], ...own, ...(bare && { weightDecay: 0 }) });
    }
  }
  return [...groups.values()];
}
