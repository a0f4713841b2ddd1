import { DescentError, type DType, empty, type Mask, type Tensor, type Traced, type Value } from "@descent/tensor";
import { alike, Launches } from "../core/launches.ts";

/** What is summed of each element, and what is made of the sum; or which extreme is taken. */
interface Formula {
  readonly fold: "sum" | "amax" | "amin";
  readonly of: (x: Value, p: Value) => Value;
  readonly after: (folded: Value, p: Value) => Value;
}

const same = (x: Value) => x;
const size = (x: Value) => x.abs();

const formulas: Readonly<Record<string, Formula>> = {
  0: { fold: "sum", of: (x) => x.ne(0).select(1, 0, x.type), after: same },
  1: { fold: "sum", of: size, after: same },
  2: { fold: "sum", of: (x) => x.square(), after: (sum) => sum.sqrt() },
  [Number.POSITIVE_INFINITY]: { fold: "amax", of: size, after: same },
  [Number.NEGATIVE_INFINITY]: { fold: "amin", of: size, after: same },
};
const general: Formula = {
  fold: "sum",
  of: (x, p) => x.abs().pow(p),
  after: (sum, p) => sum.pow(p.reciprocal()),
};

/** How the elements of one place in several tensors are joined before they are folded. */
const joins = {
  sum: (a: Value, b: Value) => a.add(b),
  amax: (a: Value, b: Value) => a.maximum(b),
  amin: (a: Value, b: Value) => a.minimum(b),
};

/** The norms with a formula of their own go by their order; the others share one program, which is given the order. */
const kindOf = (p: number): string => (Object.hasOwn(formulas, String(p)) ? String(p) : "p");

/** The norm of all elements of `tensors`: one number. */
function norm(p: number, tensors: readonly Value[], order: Value): Value {
  const { fold, of, after } = formulas[String(p)] ?? general;
  const joined = tensors.map((x) => of(x, order)).reduce(joins[fold]);
  return after(joined[fold](), order);
}

export function checkNormType(operation: string, p: number): void {
  if (typeof p === "number" && !Number.isNaN(p)) return;
  const hint = "2 is the Euclidean norm; Infinity takes the largest element.";
  throw new DescentError("argument", operation, "normType is no number", { normType: p }, hint);
}

/** What norms are kept in: enough for every tensor they come from. */
const dtypeOf = (tensors: readonly Tensor[]): DType =>
  tensors.some(({ dtype }) => dtype === "float64") ? "float64" : "float32";

/** One place of a vector, as a tensor of as many axes as `like`. */
const slot = (vector: Tensor, at: number, like: Tensor): Tensor =>
  vector.make(
    vector.storage,
    like.shape.map(() => 1),
    like.shape.map(() => 1),
    vector.offset + at,
  );

/**
 * Norms of order `p` of runs of tensors, as a vector. A run is one tensor with `each`, else as many of one size as a launch can
 * take: one launch a run. Null where there is nothing to measure.
 */
export function normsOf(operation: string, tensors: readonly Tensor[], p: number, each = false): Tensor | null {
  const filled = tensors.filter((x) => x.size > 0);
  const [first] = filled;
  if (!first) return null;
  const other = filled.find(({ runtime }) => runtime !== first.runtime);
  if (other) {
    const facts = { first: first.backend.name, other: other.backend.name };
    throw new DescentError("device", operation, "the gradients are on different backends", facts);
  }
  // Order 0 counts the tensors that are not zero, so each is measured by itself.
  const runs = each || p === 0 ? filled.map((x) => [x]) : alike(filled);
  const norms = empty([runs.length], { dtype: dtypeOf(filled), backend: first.backend }, operation);
  const launches = new Launches();
  for (const [k, run] of runs.entries()) {
    const [x] = run as [Tensor];
    const spec: Traced = {
      name: operation,
      key: `norms ${kindOf(p)} ${run.length}`,
      overwrites: true,
      dtype: ([target]) => (target as Tensor).dtype,
      perRow: [true],
      body: (values) => [norm(p, values.slice(2), values[1] as Value)],
    };
    launches.addRun(spec, [slot(norms, k, x), p], run, [0], true);
  }
  launches.submit();
  return norms;
}

/** How strongly to scale so that `total` becomes at most `maxNorm`: PyTorch's formula. */
const coefficient = (total: Value, maxNorm: Value): Value => maxNorm.div(total.add(1e-6)).minimum(1);

/** Neither infinite nor NaN. */
const finite = (x: Value): Mask => x.sub(x).eq(0);

/**
 * The norm of norms, and the factor that takes it down to `maxNorm`, in one launch; `guarded`: the factor is 1 for a total that is
 * not finite.
 */
export function totalOf(
  operation: string,
  norms: Tensor,
  p: number,
  maxNorm: number,
  guarded: boolean,
): [Tensor, Tensor] {
  const spec: Traced = {
    name: operation,
    key: `total norm ${kindOf(p)} ${guarded}`,
    dtype: ([x]) => (x as Tensor).dtype,
    outputs: (computed) => [computed, computed],
    perRow: [true, true],
    body: ([x, order, max]) => {
      const total = norm(p, [x as Value], order as Value);
      const factor = coefficient(total, max as Value);
      return [total, guarded ? finite(total).select(factor, 1) : factor];
    },
  };
  const launches = new Launches();
  const [total, factor] = launches.add(spec, [norms, p, maxNorm], { dims: [0] }) as [Tensor, Tensor];
  launches.submit();
  return [total.reshape([]), factor.reshape([])];
}

/** The factor for a norm that is known. */
export function factorFor(operation: string, total: Tensor, maxNorm: number): Tensor {
  const spec: Traced = {
    name: operation,
    key: "clip factor",
    dtype: ([x]) => (x as Tensor).dtype,
    body: ([x, max]) => [coefficient(x as Value, max as Value)],
  };
  const launches = new Launches();
  const [factor] = launches.add(spec, [total, maxNorm], {}) as [Tensor];
  launches.submit();
  return factor;
}
