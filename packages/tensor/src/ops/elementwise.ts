import { contiguousStrides, DescentError, type DType, dtypeKind, type Mask, type Value } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { floatResultType, resultType } from "../promote.ts";
import type { Tensor } from "../tensor.ts";
import { runTraced, type Traced } from "../traced.ts";

type Operand = Tensor | number;

/** One result computed from one operand, in the operand's own dtype unless `dtype` says otherwise. */
function unary(name: string, f: (x: Value) => Value, dtype: Traced["dtype"] = resultType): (x: Tensor) => Tensor {
  const spec: Traced = { name, key: name, dtype, body: ([x]) => [f(x as Value)] };
  return (x) => applyTraced(spec, [x])[0] as Tensor;
}

/** As `unary`, in floating point: integers become float32. */
const float = (name: string, f: (x: Value) => Value) => unary(name, f, floatResultType);

function binary(
  name: string,
  f: (a: Value, b: Value) => Value,
  dtype: Traced["dtype"] = resultType,
): (a: Operand, b: Operand) => Tensor {
  const spec: Traced = { name, key: name, dtype, body: ([a, b]) => [f(a as Value, b as Value)] };
  return (a, b) => applyTraced(spec, [a, b])[0] as Tensor;
}

function comparison(name: string, f: (a: Value, b: Value) => Mask): (a: Operand, b: Operand) => Tensor {
  const spec: Traced = {
    name,
    key: name,
    dtype: resultType,
    outputs: () => ["bool"],
    body: ([a, b]) => [f(a as Value, b as Value)],
  };
  return (a, b) => runTraced(spec, [a, b])[0] as Tensor;
}

const copySpec: Traced = { name: "copy", key: "copy", dtype: resultType, body: ([x]) => [x as Value] };

/** A row-major copy, not recorded. */
export const copyOf = (x: Tensor): Tensor => runTraced(copySpec, [x], { contiguous: true })[0] as Tensor;

const fillSpec: Traced = {
  name: "fill",
  key: "fill",
  overwrites: true,
  dtype: ([x]) => (x as Tensor).dtype,
  body: ([, value]) => [value as Value],
};

/** A row-major tensor like `x` with every element `value`. */
export function filled(x: Tensor, value: number): Tensor {
  const result = x.make(x.runtime.memory.alloc(x.dtype, x.size, "fill"), x.shape, contiguousStrides(x.shape), 0);
  return runTraced(fillSpec, [result, value], { into: [0] })[0] as Tensor;
}

const plus = binary("add", (a, b) => a.add(b));
const minus = binary("sub", (a, b) => a.sub(b));
export const mul = binary("mul", (a, b) => a.mul(b));

/** input + alpha · other. */
export const add = (input: Operand, other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor =>
  plus(input, alpha === 1 ? other : mul(other, alpha));

/** input − alpha · other. */
export const sub = (input: Operand, other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor => {
  for (const x of [input, other]) {
    if (typeof x !== "number" && dtypeKind(x.dtype) === "bool")
      throw new DescentError(
        "dtype",
        "sub",
        "bool tensors are not subtracted",
        {},
        "Use logicalXor, or logicalNot for a complement.",
      );
  }
  return minus(input, alpha === 1 ? other : mul(other, alpha));
};

/** Quotient in floating point, also of integers. */
export const div = binary("div", (a, b) => a.div(b), floatResultType);
export const neg = unary("neg", (x) => x.neg());
export const exp = float("exp", (x) => x.exp());
export const gt = comparison("gt", (a, b) => a.gt(b));

/** `x` in another dtype; `x` itself when it has that dtype already. */
export function to(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  return applyTraced(
    { name: "to", key: `to ${dtype}`, dtype: resultType, outputs: () => [dtype], body: ([v]) => [v as Value] },
    [x],
  )[0] as Tensor;
}
