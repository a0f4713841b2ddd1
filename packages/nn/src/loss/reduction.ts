import {
  applyTraced,
  checkOptions,
  DescentError,
  isFloat,
  nearest,
  type Tensor,
  type Traced,
  type Value,
} from "@descent/tensor";
import { checkTensor } from "../check.ts";

/** What becomes of the losses of single elements or samples. */
export type Reduction = "none" | "mean" | "sum";

export interface ReductionOptions {
  /** Default: "mean". */
  readonly reduction?: Reduction;
}

const reductions = ["none", "mean", "sum"];

/** Checks the options of a loss, before anything is computed. */
export function checkLoss(
  operation: string,
  options: object,
  names: readonly string[],
  more: readonly string[] = [],
): void {
  checkOptions(operation, options, [...names, "reduction"]);
  const { reduction = "mean" } = options as { reduction?: string };
  const known = [...reductions, ...more];
  if (known.includes(reduction)) return;
  const hint = `Did you mean "${nearest(String(reduction), known)}"? There are ${known.join(", ")}.`;
  throw new DescentError("option", operation, "unknown reduction", { reduction }, hint);
}

/** Throws unless a loss is computed from a tensor of floating point numbers and another one. */
export function checkReal(operation: string, input: Tensor, target: unknown): void {
  checkTensor(operation, "the input", input);
  checkTensor(operation, "the target", target);
  if (isFloat(input.dtype)) return;
  const hint = 'Convert it with input.to("float32").';
  throw new DescentError("dtype", operation, "the input is not floating point", { input: input.dtype }, hint);
}

export const showShape = ({ shape }: Tensor): string => `[${shape.join(", ")}]`;

/** Throws unless both have one shape. */
export function checkSameShape(operation: string, input: Tensor, target: Tensor): void {
  checkReal(operation, input, target);
  if (showShape(input) === showShape(target)) return;
  const facts = { input: showShape(input), target: showShape(target) };
  const hint = "Reshape or expand the target: this loss does not broadcast it.";
  throw new DescentError("shape", operation, "input and target have different shapes", facts, hint);
}

/** A loss that looks at one element at a time: from its operands to its value. */
export interface Pointwise {
  readonly name: string;
  /** Distinguishes structure; default: the name. */
  readonly key?: string;
  readonly body: (x: readonly Value[]) => Value;
}

/** Operands broadcast. One launch forward, whatever the reduction, and one backward. */
export function pointwise(
  { name, key = name, body }: Pointwise,
  operands: readonly [Tensor, ...(Tensor | number)[]],
  reduction: Reduction,
): Tensor {
  checkReal(name, operands[0], operands[1]);
  const folded = reduction !== "none";
  const spec: Traced = {
    name,
    key: `${key} ${reduction}`,
    dtype: ([x]) => (x as Tensor).dtype,
    perRow: [folded],
    body(x, _trace, count) {
      const value = body(x);
      if (!folded) return [value];
      return [reduction === "mean" ? value.sum().div(count) : value.sum()];
    },
  };
  if (!folded) return applyTraced(spec, operands)[0] as Tensor;
  const rank = Math.max(...operands.map((x) => (typeof x === "number" ? 0 : x.ndim)));
  const [total] = applyTraced(spec, operands, { dims: Array.from({ length: rank }, (_, axis) => axis) });
  return (total as Tensor).reshape([]);
}
