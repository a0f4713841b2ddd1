import { DescentError, type DType, dtypeKind, isFloat, type Mask, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { floatResultType, resultType } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import type { Traced } from "../traced.ts";

/** What an element-wise operation takes: tensors broadcast, numbers are passed to the program and never compiled in. */
export type Operand = Tensor | number;

/** One launch: a traced operation and what it works on. */
export type Launchable = readonly [Traced, readonly Operand[]];

/** An element-wise operation, and the launch it stands for: its in-place form is the same launch into its first operand. */
export interface Elementwise<A extends readonly unknown[]> {
  (...args: A): Tensor;
  readonly of: (...args: A) => Launchable;
}

/** The dtype an operation computes in; throws for operands it does not take. */
export type Rule = (operation: string) => Traced["dtype"];

const refusing =
  (kinds: readonly string[], compute: Traced["dtype"], hint: string): Rule =>
  (operation) =>
  (operands) => {
    const dtype = resultType(operands);
    if (!kinds.includes(dtypeKind(dtype))) return compute(operands);
    throw new DescentError("dtype", operation, "is not defined for this dtype", { dtype }, hint);
  };

/** Operands as they are; integers become float32; no bools; floating point only; integers and bools only. */
export const own: Rule = () => resultType;
export const real: Rule = () => floatResultType;
export const numbers = refusing(["bool"], resultType, 'Use logical operations, or t.to("float32") first.');
export const realNumbers = refusing(["bool"], floatResultType, 'Use t.to("float32") first.');
export const floats = refusing(["bool", "int"], resultType, 'Use t.to("float32") first.');
export const bits = refusing(["float"], resultType, 'Use t.to("int32") first.');

/** `rule` for the first `count` operands; the others are settings. */
export const leading = (count: number, rule: Rule): Rule => {
  return (operation) => {
    const dtype = rule(operation);
    return (operands) => dtype(operands.slice(0, count));
  };
};

/** An operation from the launch that its arguments stand for. */
export const elementwise = <A extends readonly unknown[]>(of: (...args: A) => Launchable): Elementwise<A> =>
  Object.assign(
    (...args: A): Tensor => {
      const [spec, operands] = of(...args);
      checkOperands(spec.name, operands);
      return applyTraced(spec, operands)[0] as Tensor;
    },
    { of },
  );

/** Throws unless every operand is a tensor or a number. */
export function checkOperands(operation: string, operands: readonly unknown[]): void {
  for (const x of operands) {
    if (typeof x === "number" || (typeof x === "object" && x !== null && "storage" in x)) continue;
    const got = Array.isArray(x) ? "an array" : x === null ? "null" : typeof x;
    throw new DescentError("argument", operation, "takes tensors and numbers", { got }, "Wrap it: tensor(…).");
  }
}

/** A traced operation on values; `key` tells apart what a name alone does not. */
export const spec = (
  name: string,
  body: (...x: Value[]) => Value | Mask,
  rule: Rule = own,
  key = name,
  more: Partial<Traced> = {},
): Traced => ({ name, key, dtype: rule(name), body: (x) => [body(...x)], ...more });

/** One operand. */
export function unary(name: string, f: (x: Value) => Value, rule: Rule = own): Elementwise<[x: Tensor]> {
  const traced = spec(name, f, rule);
  return elementwise((x: Tensor) => [traced, [x]]);
}

/** Two operands. */
export function binary(
  name: string,
  f: (a: Value, b: Value) => Value,
  rule: Rule = own,
): Elementwise<[a: Operand, b: Operand]> {
  const traced = spec(name, f, rule);
  return elementwise((a: Operand, b: Operand) => [traced, [a, b]]);
}

const toBool = { outputs: (): DType[] => ["bool"] };

/** One operand, a truth value out. */
export function predicate(name: string, f: (x: Value) => Mask): Elementwise<[x: Tensor]> {
  const traced = spec(name, f, own, name, toBool);
  return elementwise((x: Tensor) => [traced, [x]]);
}

/** Two operands compared, a truth value out. */
export function comparison(name: string, f: (a: Value, b: Value) => Mask): Elementwise<[a: Operand, b: Operand]> {
  const traced = spec(name, f, own, name, toBool);
  return elementwise((a: Operand, b: Operand) => [traced, [a, b]]);
}

/** Operands taken as truth values (a number is true unless 0), a truth value out. */
export function logical<A extends readonly Operand[]>(name: string, f: (...x: Mask[]) => Mask): Elementwise<A> {
  const takes = new Array<"mask">(2).fill("mask");
  const traced = spec(name, f as unknown as (...x: Value[]) => Mask, own, name, { ...toBool, takes });
  return elementwise((...operands: A) => [traced, operands]);
}

/** Whether values of this type are whole already. */
export const isWhole = (x: Value): boolean => x.type === "i32" || x.type === "u32";

/** Whether a dtype is a floating point one, for an operand of either sort. */
export const isReal = (x: Operand): boolean => (typeof x === "number" ? !Number.isInteger(x) : isFloat(x.dtype));
