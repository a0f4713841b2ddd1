import { identity, type Reducer, type ValueType } from "@descent/backend";
import { literal } from "./body.ts";
import { isInteger, narrowed } from "./ops.ts";

const isPlace = (reducer: Reducer): boolean => reducer === "argmax" || reducer === "argmin";

/** What a running fold starts from. */
export function start(reducer: Reducer, type: ValueType): string {
  const extremum = reducer === "argmax" ? "max" : reducer === "argmin" ? "min" : reducer;
  return literal(identity(extremum, type));
}

/** Takes `value` into the running fold `best`; argmax and argmin keep its `place` too. NaN wins every extremum, the first one. */
export function take(
  reducer: Reducer,
  type: ValueType,
  best: string,
  value: string,
  place: { now: string; kept: string },
): string {
  if (reducer === "sum") return isInteger(type) ? `${best} = (${best} + ${value}) | 0;` : `${best} += ${value};`;
  if (reducer === "prod") return isInteger(type) ? `${best} = Math.imul(${best}, ${value});` : `${best} *= ${value};`;
  const sign = reducer.endsWith("max") ? ">" : "<";
  if (isPlace(reducer)) {
    return `if (${value} ${sign} ${best} || (${value} !== ${value} && ${best} === ${best})) { ${best} = ${value}; ${place.kept} = ${place.now}; }`;
  }
  return `${best} = Math.${reducer}(${best}, ${value});`;
}

/** Joins running folds of parts of a row. */
export function join(reducer: Reducer, type: ValueType, parts: readonly string[]): string {
  if (reducer === "sum") return isInteger(type) ? `(${parts.join(" + ")}) | 0` : parts.join(" + ");
  if (reducer === "prod") return parts.reduce((a, b) => (isInteger(type) ? `Math.imul(${a}, ${b})` : `${a} * ${b}`));
  return `Math.${reducer}(${parts.join(", ")})`;
}

/** The finished fold as an instruction's value. */
export const finished = (reducer: Reducer, type: ValueType, best: string, place: string): string =>
  isPlace(reducer) ? place : narrowed(type, best);
