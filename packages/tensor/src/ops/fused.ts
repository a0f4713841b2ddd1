import { DescentError, gradients, nearest, type Value } from "@descent/backend";
import type { Epilogue } from "../contract.ts";
import { applyTraced } from "../differentiate.ts";
import { resultType } from "../promote.ts";
import { record, tapeOf } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import type { Traced } from "../traced.ts";
import * as formulas from "./formulas.ts";

interface Row {
  readonly f: (x: Value) => Value;
  /** The gradient of the argument from those of the result and its value, where the argument itself is not needed. */
  readonly pullBack?: (g: Value, y: Value) => Value;
}

/** Every activation that can follow a product in the same launch; `gelu` is the exact form, `geluTanh` its approximation. */
const rows = {
  relu: { f: formulas.relu, pullBack: (g, y) => y.le(0).select(0, g) },
  tanh: { f: (x) => x.tanh(), pullBack: (g, y) => g.mul(y.square().complement()) },
  sigmoid: { f: (x) => x.sigmoid(), pullBack: (g, y) => g.mul(y).mul(y.complement()) },
  silu: { f: formulas.silu },
  gelu: { f: formulas.gelu },
  geluTanh: { f: formulas.geluTanh },
} satisfies Record<string, Row>;

/** The name of an activation that can be fused. */
export type Activation = keyof typeof rows;

/** Throws, naming the nearest one, unless `name` is an activation or null. */
export function checkActivation(operation: string, name: Activation | null): void {
  if (name === null || Object.hasOwn(rows, name)) return;
  const hint = `Did you mean "${nearest(String(name), Object.keys(rows))}"?`;
  throw new DescentError("option", operation, "unknown activation", { activation: name }, hint);
}

/** `linear`, followed by an activation; the argument is a second result where a derivative will need it. */
function fused(linear: Epilogue, name: Activation, keep: boolean): Epilogue {
  const { f } = rows[name];
  const body: Epilogue["body"] = (sum, x) => {
    const [z] = linear.body(sum, x) as [Value];
    return keep ? [f(z), z] : [f(z)];
  };
  return { key: `${linear.key}>${name}${keep ? "+" : ""}`, body, results: keep ? 2 : 1 };
}

/** The gradient of the argument as a traced operation: from the gradient and the result, or the gradient and the argument. */
function backwardSpec(name: Activation): Traced {
  const { f, pullBack }: Row = rows[name];
  return {
    name: `${name}Backward`,
    key: `${name}Backward`,
    dtype: resultType,
    body([g, saved], trace) {
      if (pullBack) return [pullBack(g as Value, saved as Value)];
      const x = trace.alias(saved as Value, 0) as Value;
      return gradients(trace, [f(x)], [g as Value], [x]) as Value[];
    },
  };
}

/**
 * Runs `launch` with an epilogue that ends in an activation, and records it: the backward pass is one map for the activation,
 * then `pullBack` for what comes before it, in terms of the gradient of the activation's argument.
 */
export function withActivation(
  name: string,
  activation: Activation | null,
  linear: Epilogue,
  inputs: readonly Tensor[],
  launch: (epilogue: Epilogue) => Tensor[],
  pullBack: (g: Tensor, needs: readonly boolean[]) => readonly (Tensor | null)[],
  saved: readonly Tensor[],
): Tensor {
  if (activation === null) return record(name, inputs, launch(linear)[0] as Tensor, pullBack, saved);
  const tape = tapeOf(inputs);
  const row: Row = rows[activation];
  const [y, z] = launch(fused(linear, activation, tape !== null && !row.pullBack)) as [Tensor, Tensor?];
  if (tape === null) return y;
  const before = (g: Tensor, argument: Tensor) => applyTraced(backwardSpec(activation), [g, argument])[0] as Tensor;
  if (z === undefined) return record(name, inputs, y, (g, needs) => pullBack(before(g, y), needs), [...saved, y]);
  record(name, inputs, z, pullBack, saved);
  return record(activation, [z], y, (g) => [before(g, z)], [z]);
}
