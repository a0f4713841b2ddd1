import { DescentError } from "./error.ts";
import { type Op, opRow } from "./ops.ts";
import type { Trace } from "./trace.ts";
import { type Mask, Value } from "./value.ts";

/**
 * Reverse mode inside one trace: for every value of `wrt`, Σ over `outputs` of gradient · ∂output/∂value, as further instructions
 * of the same trace (null where nothing depends on it). What reaches a per-row value from elements is summed over the row, so the
 * derivative of a row program is a row program.
 */
export function gradients(
  trace: Trace,
  outputs: readonly Value[],
  grads: readonly Value[],
  wrt: readonly Value[],
): (Value | null)[] {
  const adjoint = new Map<number, Value>();
  const last = Math.max(-1, ...outputs.map((output) => output.id));
  const needed = dependents(trace, wrt, last);
  const accumulate = (id: number, contribution: Value): void => {
    if (!needed.has(id)) return;
    const rowOfElements = trace.node(id).level === "row" && trace.levelOf(contribution) === "element";
    const term = rowOfElements && trace.kind === "fold" ? contribution.sum() : contribution;
    const sofar = adjoint.get(id);
    adjoint.set(id, sofar ? sofar.add(term) : term);
  };
  outputs.forEach((output, i) => {
    accumulate(output.id, grads[i] as Value);
  });
  for (let id = last; id >= 0; id--) {
    const g = adjoint.get(id);
    if (g) propagate(trace, id, g, accumulate);
  }
  return wrt.map((value) => adjoint.get(value.id) ?? null);
}

/** The instructions up to `last` that depend on one of `wrt`, and `wrt` themselves. */
function dependents(trace: Trace, wrt: readonly Value[], last: number): Set<number> {
  const found = new Set(wrt.map((value) => value.id));
  for (let id = 0; id <= last; id++) {
    const { op, args } = trace.node(id);
    const through = op === "ruled" ? args.slice(1) : args;
    if (op !== "detach" && through.some((arg) => found.has(arg))) found.add(id);
  }
  return found;
}

function propagate(trace: Trace, id: number, g: Value, accumulate: (id: number, contribution: Value) => void): void {
  const { op, args, rule } = trace.node(id);
  if (
    op === "load" ||
    op === "const" ||
    op === "uniform" ||
    op === "index" ||
    op === "accumulator" ||
    op === "hyper" ||
    op === "detach" ||
    op === "placeholder"
  )
    return;
  const y = trace.valueAt(id) as Value;
  const x = args.map((arg) => trace.valueAt(arg));
  if (rule) {
    rule(g, y, ...(x.slice(1) as Value[])).forEach((contribution, i) => {
      if (contribution) accumulate(args[i + 1] as number, contribution);
    });
  } else if (op === "fold.sum" || op === "alias") {
    accumulate(args[0] as number, g);
  } else if (op === "fold.max" || op === "fold.min") {
    const hit = (x[0] as Value).eq(y).select(1, 0, y.type);
    accumulate(args[0] as number, hit.mul(g.div(hit.sum()))); // NaN for a row whose extremum is NaN, as in PyTorch
  } else if (op.startsWith("fold.")) {
    if (op === "fold.prod")
      throw new DescentError("program", "gradients", "a product over a row has no traced derivative", {
        instruction: id,
      });
  } else if (op === "select") {
    const mask = x[0] as Mask;
    accumulate(args[1] as number, mask.select(g, 0));
    accumulate(args[2] as number, mask.select(0, g));
  } else {
    const { derivative } = opRow(op as Op);
    if (!derivative) return; // masks and bits carry no gradient
    const values = x.filter((value): value is Value => value instanceof Value);
    derivative(g, y, ...values).forEach((contribution, i) => {
      if (contribution) accumulate(args[i] as number, contribution);
    });
  }
}
