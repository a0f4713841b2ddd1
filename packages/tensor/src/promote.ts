import { type DType, dtypeKind, isFloat } from "@descent/backend";
import type { Tensor } from "./tensor.ts";

/** The dtype of floating point results where no operand has one, as torch.get_default_dtype(). */
export const defaultDType: DType = "float32";

const floatOrder: readonly DType[] = ["float16", "float32", "float64"];
const intOrder: readonly DType[] = ["uint8", "int32", "uint32", "int64"];

/** The dtype that holds values of both, by PyTorch's lattice; uint32 with a signed integer is int64. */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b || b === "bool") return a;
  if (a === "bool") return b;
  if (isFloat(a) !== isFloat(b)) return isFloat(a) ? a : b;
  if (isFloat(a)) {
    // float16 and bfloat16 each hold what the other cannot.
    if (a === "bfloat16" || b === "bfloat16") return a === "float64" || b === "float64" ? "float64" : "float32";
    return floatOrder[Math.max(floatOrder.indexOf(a), floatOrder.indexOf(b))] as DType;
  }
  if ((a === "uint32" && b === "int32") || (a === "int32" && b === "uint32")) return "int64";
  return intOrder[Math.max(intOrder.indexOf(a), intOrder.indexOf(b))] as DType;
}

const rank = { bool: 0, int: 1, float: 2 } as const;

/**
 * The dtype an operation on `operands` computes in (torch.result_type): tensors with axes decide; a tensor without axes or a
 * number matters only when its kind (bool, integer, floating point) is higher. A JavaScript number counts as integer when it has no fraction.
 */
export function resultType(operands: readonly (Tensor | number)[]): DType {
  let withAxes: DType | null = null;
  let without: DType | null = null;
  let number: "int" | "float" | null = null;
  for (const operand of operands) {
    if (typeof operand === "number") {
      if (!Number.isInteger(operand)) number = "float";
      else number ??= "int";
    } else if (operand.shape.length > 0)
      withAxes = withAxes === null ? operand.dtype : promoteTypes(withAxes, operand.dtype);
    else without = without === null ? operand.dtype : promoteTypes(without, operand.dtype);
  }
  let result = withAxes;
  if (without !== null && (result === null || rank[dtypeKind(without)] > rank[dtypeKind(result)])) {
    result = result === null ? without : promoteTypes(result, without);
  }
  if (number !== null && (result === null || rank[number] > rank[dtypeKind(result)])) {
    result = number === "float" ? defaultDType : "int64";
  }
  return result ?? defaultDType;
}

/** As `resultType`, but integers become the default floating point type: what division and exp compute in. */
export function floatResultType(operands: readonly (Tensor | number)[]): DType {
  const type = resultType(operands);
  return isFloat(type) ? type : defaultDType;
}
