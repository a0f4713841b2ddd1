import { DescentError, type DType, dtypeKind } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { tapeOf } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import type { Traced } from "../traced.ts";
import { writeSpec } from "./copy.ts";
import { checkOperands, type Launchable, type Operand } from "./define.ts";

const rank = { bool: 0, int: 1, float: 2 } as const;

/** Throws when numbers computed in `from` are no longer what they were in `to` (torch.can_cast). */
function checkCast(operation: string, from: DType, to: DType): void {
  if (rank[dtypeKind(from)] <= rank[dtypeKind(to)]) return;
  throw new DescentError(
    "dtype",
    operation,
    "the result cannot be cast to the dtype of the tensor that is changed in place",
    { result: from, target: to },
    "Use the form without underscore, or convert the tensor first.",
  );
}

/** Throws, before anything is changed, where a change in place would leave the graph with wrong gradients. */
function checkTarget(operation: string, target: Tensor, operands: readonly Operand[]): void {
  target.tape?.checkInPlace(operation, target);
  if (target.tape || !tapeOf(operands) || target.size === target.storage.block.buffer.length) return;
  throw new DescentError(
    "gradient",
    operation,
    "a differentiable value is written into part of a tensor that is not differentiable",
    { shape: target.shape },
    "Put the parts together with cat, stack or where.",
  );
}

/** Runs a launch into its first operand, and returns that. */
export function inPlace([spec, operands]: Launchable, name = `${spec.name}_`): Tensor {
  checkOperands(name, operands);
  const target = operands[0] as Tensor;
  const computed = spec.dtype(operands);
  if (!spec.overwrites) checkCast(name, spec.outputs?.(computed)[0] ?? computed, target.dtype);
  checkTarget(name, target, operands);
  const into: Traced = { ...spec, name };
  return applyTraced(into, operands, { into: [0] })[0] as Tensor;
}

/** Copies `source`, broadcast and converted, into `x`. */
export const copyInto = (x: Tensor, source: Operand): Tensor => inPlace([writeSpec, [x, source]], "copy_");
/** Sets every element of `x` to `value`. */
export const fillInto = (x: Tensor, value: Operand): Tensor =>
  inPlace([writeSpec, [x, x.dtype === "bool" && typeof value === "number" ? Number(value !== 0) : value]], "fill_");
