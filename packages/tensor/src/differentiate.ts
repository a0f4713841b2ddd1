import { Cache, type DType, gradients, isFloat, Trace, type Value, valueType } from "@descent/backend";
import { broadcastShapes, sameShape } from "./shape.ts";
import { isPerRow } from "./space.ts";
import { type Backward, tapeOf } from "./tape.ts";
import type { Tensor } from "./tensor.ts";
import { runTraced, type Traced, type TracedCall } from "./traced.ts";

/**
 * Runs a traced operation and records it where an operand is differentiable. Its derivative comes from the same trace: one more
 * traced operation, hence differentiable again, as often as wanted.
 */
export function applyTraced(spec: Traced, operands: readonly (Tensor | number)[], call: TracedCall = {}): Tensor[] {
  const tape = tapeOf(operands);
  if (tape === null) return runTraced(spec, operands, call);
  const computed = spec.dtype(operands);
  const tensors = operands.filter((x) => typeof x !== "number");
  const wanted = operands.map((x) => typeof x !== "number" && x.tape !== null && isFloat(x.dtype) && isFloat(computed));
  const targets = call.into?.flatMap((i) => (i === null ? [] : [operands[i] as Tensor])) ?? [];
  if (!(spec.outputs?.(computed) ?? [computed]).some(isFloat) || !wanted.some(Boolean)) {
    const results = runTraced(spec, operands, call);
    // What a differentiable tensor was no longer counts once it is overwritten by something that has no derivative.
    if (targets.some((target) => target.tape !== null))
      tape.record({ name: spec.name, inputs: [], outputs: results, saved: [], backward: () => [] });
    return results;
  }
  const shape =
    call.shape ??
    broadcastShapes(
      spec.name,
      tensors.map((x) => x.shape),
    );
  const derivative = derivativeOf(spec, operands, computed, call, shape, wanted);
  const changes = (x: Tensor) => targets.some((target) => target.storage === x.storage);
  const kept = operands.map((x, i) => {
    if (typeof x === "number") return x;
    if (!derivative.needs[i]) return null;
    return changes(x) ? x.copy() : x; // the derivative needs what an in-place operation is about to overwrite
  });
  const saved = kept.filter((x) => x !== null && typeof x !== "number");
  const results = runTraced(spec, operands, call);
  const shapes = operands.map((x) => (typeof x === "number" ? null : x.shape));
  const dtypes = operands.map((x) => (typeof x === "number" ? null : x.dtype));
  const backward: Backward = (grads) => {
    const found = pullBack(
      {
        spec,
        computed,
        call,
        shape,
        kept,
        shapes,
        dtypes,
        wanted,
        perRow: derivative.perRow,
        passes: derivative.passes,
      },
      grads,
    );
    return operands.flatMap((x, i) => (typeof x === "number" ? [] : [found[i] ?? null]));
  };
  tape.record({ name: spec.name, inputs: tensors, outputs: results, saved, backward });
  return results;
}

interface Recorded {
  readonly spec: Traced;
  readonly computed: DType;
  readonly call: TracedCall;
  readonly shape: readonly number[];
  /** The operands the derivative needs (null: it does not). */
  readonly kept: readonly (Tensor | number | null)[];
  readonly shapes: readonly (readonly number[] | null)[];
  readonly dtypes: readonly (DType | null)[];
  readonly wanted: readonly boolean[];
  readonly perRow: readonly boolean[];
  readonly passes: readonly (number | null)[];
}

interface Analysis {
  /** Whether the derivative reads the value of each operand. */
  readonly needs: readonly boolean[];
  /** The result whose gradient is the operand's as it stands (as in a sum); null where it has to be computed. */
  readonly passes: readonly (number | null)[];
}

interface Derivative extends Analysis {
  readonly perRow: readonly boolean[];
}

const analysed = new Cache<string, Analysis>(4000);
const bits = (flags: readonly boolean[]): string => flags.map(Number).join("");

/** Which operands the derivative with respect to `wanted` reads: found by tracing it once. */
function derivativeOf(
  spec: Traced,
  operands: readonly (Tensor | number)[],
  computed: DType,
  call: TracedCall,
  shape: readonly number[],
  wanted: readonly boolean[],
): Derivative {
  const perRow = operands.map((x) => typeof x !== "number" && call.dims !== undefined && isPerRow(x, shape, call.dims));
  const key = `${spec.key}|${computed}|${bits(wanted)}|${bits(perRow)}|${operands.map((x) => (typeof x === "number" ? "n" : "t")).join("")}`;
  const analysis = analysed.get(key, () => {
    const trace = call.dims ? new Trace({ kind: "fold", rank: 2, reduced: 1 }) : new Trace({ kind: "map", rank: 1 });
    const count = trace.hyper(0);
    const type = valueType(computed);
    const x = operands.map((operand, i) => {
      if (typeof operand === "number") return trace.hyper(i + 1);
      const take = spec.takes?.[i] ?? "number";
      return trace.input(
        take === "mask" ? "bool" : type === "f64" ? "float64" : "float32",
        perRow[i] ? "row" : "flat",
      ) as Value;
    });
    const loads = x.map((value, i) => (typeof operands[i] === "number" ? -1 : (trace.node(value.id).imm as number)));
    const y = spec.body(x, trace, count) as readonly Value[];
    const real = y.filter((value) => value.type !== "mask" && trace.levelOf(value) !== "host");
    const g = real.map(
      (value) =>
        trace.input(
          type === "f64" ? "float64" : "float32",
          trace.levelOf(value) === "row" && call.dims ? "row" : "flat",
        ) as Value,
    );
    const found = gradients(
      trace,
      real,
      g,
      x.filter((_, i) => wanted[i]),
    );
    const live = trace.loadsOf(found.filter((value) => value !== null));
    const needs = loads.map((load) => load >= 0 && live.has(load));
    let next = 0;
    const passes = wanted.map((want) => {
      const value = want ? found[next++] : null;
      const result = call.dims || !value ? -1 : g.findIndex(({ id }) => id === value.id);
      return result < 0 ? null : y.indexOf(real[result] as Value);
    });
    return { needs, passes };
  });
  return { ...analysis, perRow };
}

/** The gradients of all wanted operands, from those of the results. */
function pullBack(recorded: Recorded, grads: readonly (Tensor | null)[]): (Tensor | null)[] {
  const { shape, shapes, dtypes, passes, call } = recorded;
  const present = grads.filter((g) => g !== null);
  if (present.length === 0) return shapes.map(() => null);
  const found = passes.map((result, i) => {
    const g = result === null ? null : (grads[result] ?? null);
    return g && g.dtype === dtypes[i] ? g : null;
  });
  const wanted = recorded.wanted.map((want, i) => want && !found[i]);
  const recording = tapeOf([...present, ...recorded.kept.filter((x) => x !== null)]) !== null;
  const stretched = wanted.map((want, i) => want && !sameShape(shapes[i] as readonly number[], shape));
  const together = wanted.map((want, i) => want && (recording || call.dims !== undefined || !stretched[i]));
  // A map's gradient for a stretched operand folds the stretched axes in the same launch.
  wanted.forEach((want, i) => {
    if (!want || together[i]) return;
    const only = wanted.map((_, k) => k === i);
    const [g] = applyTraced(derivativeSpec(recorded, grads, only, true), inputsOf(recorded, grads), {
      shape,
      dims: stretchedAxes(shapes[i] as readonly number[], shape),
    });
    found[i] = g as Tensor;
  });
  if (together.some(Boolean)) {
    const results = applyTraced(
      derivativeSpec(recorded, grads, together, false),
      inputsOf(recorded, grads),
      call.dims ? { shape, dims: call.dims } : { shape },
    );
    let next = 0;
    together.forEach((yes, i) => {
      if (yes) found[i] = results[next++] as Tensor;
    });
  }
  return found.map((g, i) => (g === null ? null : g.sumToSize(shapes[i] as readonly number[])));
}

const inputsOf = ({ kept }: Recorded, grads: readonly (Tensor | null)[]): (Tensor | number)[] =>
  [...kept, ...grads].filter((x) => x !== null);

/** The axes of `shape` along which an operand of shape `own` was stretched. */
function stretchedAxes(own: readonly number[], shape: readonly number[]): number[] {
  const lead = shape.length - own.length;
  return [...shape.keys()].filter((axis) => axis < lead || (own[axis - lead] === 1 && shape[axis] !== 1));
}

/** The derivative of `recorded.spec` with respect to `wrt`, as a traced operation on what was kept and the gradients there are. */
function derivativeSpec(
  recorded: Recorded,
  grads: readonly (Tensor | null)[],
  wrt: readonly boolean[],
  folded: boolean,
): Traced {
  const { spec, computed, kept, dtypes, perRow, call } = recorded;
  const keptMask = kept.map((x) => x !== null);
  const gradMask = grads.map((g) => g !== null);
  const type = valueType(computed);
  const outputs = dtypes.filter((_, i) => wrt[i]) as DType[];
  const takes = spec.takes
    ? { takes: [...spec.takes.filter((_, i) => keptMask[i]), ...gradMask.filter(Boolean).map(() => "number" as const)] }
    : {};
  return {
    name: `${spec.name}Backward`,
    key: `${spec.key}'${bits(wrt)}.${bits(keptMask)}.${bits(gradMask)}.${bits(perRow)}.${folded}.${outputs}`,
    dtype: () => computed,
    outputs: () => outputs,
    ...takes,
    perRow: wrt.flatMap((yes, i) => (yes ? [folded || (call.dims !== undefined && (perRow[i] as boolean))] : [])),
    body(values, trace, count) {
      let next = 0;
      const absent = (i: number) =>
        trace.placeholder(
          i,
          spec.takes?.[i] === "mask" ? "mask" : type,
          perRow[i] && !folded ? "row" : "element",
        ) as Value;
      // Two operands may be one tensor, hence one load: what is derived for gets an identity of its own.
      const present = (i: number) => {
        const value = values[next++] as Value;
        return wrt[i] ? trace.alias(value, i, folded ? "element" : undefined) : value;
      };
      const x = keptMask.map((there, i) => (there ? present(i) : absent(i)));
      const y = spec.body(x, trace, count) as readonly Value[];
      const pairs = y.flatMap((value, i) => (gradMask[i] ? [[value, values[next++] as Value] as const] : []));
      const found = gradients(
        trace,
        pairs.map(([value]) => value),
        pairs.map(([, g]) => g),
        x.filter((_, i) => wrt[i]),
      );
      return found.map((g) => {
        if (g === null) return trace.constant(0, type);
        return folded ? g.sum() : g;
      });
    },
  };
}
