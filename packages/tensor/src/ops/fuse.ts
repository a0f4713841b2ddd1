import { Cache, DescentError, type DType, Mask, Trace, Value, type ValueType, valueType } from "@descent/backend";
import { applyTraced } from "../differentiate.ts";
import { checkOptions } from "../options.ts";
import { resultType } from "../promote.ts";
import { broadcastShapes, normalizeAxes } from "../shape.ts";
import { isPerRow } from "../space.ts";
import type { Tensor } from "../tensor.ts";
import type { Take, Traced } from "../traced.ts";
import { checkOperands, type Operand } from "./define.ts";

/** What a fused function works on: numbers, and truth values where an operand is a bool tensor. */
type Scalar = Value | Mask;
type Results = Scalar | readonly [Scalar, ...Scalar[]] | readonly Scalar[];

/** Takes tensors and numbers where the function takes values, and gives a tensor for every value that it returns. */
export type Fused<A extends readonly Scalar[], R extends Results> = (
  ...operands: { [K in keyof A]: Operand }
) => R extends readonly unknown[] ? { -readonly [K in keyof R]: Tensor } : Tensor;

export interface FuseOptions {
  /** What errors, profiles and graphs call it. Default: the function's own name. */
  readonly name?: string;
  /** Axes that make up a row. Values may then be folded (`x.sum()`, `x.amax()`), and what is common to a row has extent 1 there. Default: none. */
  readonly dims?: number | readonly number[];
}

/** What one structure of operands makes of the function. */
interface Structure {
  readonly spec: Traced;
  readonly isList: boolean;
}

const dtypes: Readonly<Record<ValueType, DType>> = { f32: "float32", f64: "float64", i32: "int32", u32: "uint32", mask: "bool" }; // biome-ignore format: a table
let fused = 0;

/**
 * Makes one launch of a whole formula: `fn` runs once for every structure of operands (dtypes, numbers or tensors), on values that
 * record what is done with them, and leaves one program with as many results as it returns values. Operands broadcast and
 * promote as everywhere. It is differentiable, any number of times, and its backward pass is one launch as well. Numbers that change
 * between calls belong among the operands: what `fn` closes over is compiled in.
 *
 * @example
 * const swish = fuse((x: Value, beta: Value) => x.mul(x.mul(beta).sigmoid()));
 * swish(tensor([1, 2]), 1.5);
 * @example
 * const normalize = fuse((x: Value) => x.div(x.square().sum().sqrt()), { dims: -1 });
 */
export function fuse<A extends readonly Scalar[], R extends Results>(
  fn: (...x: A) => R,
  options: FuseOptions = {},
): Fused<A, R> {
  checkOptions("fuse", options, ["name", "dims"]);
  if (typeof fn !== "function") {
    const hint = "For example fuse((x, y) => x.mul(y).exp()).";
    throw new DescentError("argument", "fuse", "takes a function of values", { got: typeof fn }, hint);
  }
  const name = options.name ?? (fn.name || "fuse");
  const id = `fuse ${fused++}`;
  const structures = new Cache<string, Structure>(100);
  const call = (...operands: Operand[]): Tensor | Tensor[] => {
    checkOperands(name, operands);
    const tensors = operands.filter((x) => typeof x !== "number");
    const shape = broadcastShapes(
      name,
      tensors.map((x) => x.shape),
    );
    const dims = options.dims === undefined ? undefined : normalizeAxes(name, options.dims, shape.length);
    const takes = operands.map((x): Take => (typeof x !== "number" && x.dtype === "bool" ? "mask" : "number"));
    const numeric = operands.filter((_, i) => takes[i] === "number");
    const computed = numeric.length === 0 ? "bool" : resultType(numeric);
    const perRow = operands.map((x) => dims !== undefined && typeof x !== "number" && isPerRow(x, shape, dims));
    const kinds = operands.map((x, i) => (typeof x === "number" ? "n" : `${takes[i]}${perRow[i] ? "r" : ""}`));
    const key = `${computed} ${kinds} ${dims !== undefined}`;
    const { spec, isList } = structures.get(key, () =>
      examine(fn as unknown as Loose, {
        name,
        key: `${id} ${key}`,
        takes,
        computed,
        perRow,
        kinds,
        folds: dims !== undefined,
      }),
    );
    const results = applyTraced(spec, operands, dims ? { shape, dims } : { shape });
    return isList ? results : (results[0] as Tensor);
  };
  return call as unknown as Fused<A, R>;
}

type Loose = (...x: Scalar[]) => unknown;

interface Situation {
  readonly name: string;
  readonly key: string;
  readonly takes: readonly Take[];
  readonly computed: DType;
  readonly perRow: readonly boolean[];
  readonly kinds: readonly string[];
  /** Whether there are rows to fold. */
  readonly folds: boolean;
}

/** Runs the function once on nothing in particular, to see what it returns. */
function examine(fn: Loose, { name, key, takes, computed, perRow, kinds, folds }: Situation): Structure {
  const trace = folds ? new Trace({ kind: "fold", rank: 2, reduced: 1 }) : new Trace({ kind: "map", rank: 1 });
  const type = valueType(computed) === "mask" ? "i32" : valueType(computed);
  const found = fn(
    ...takes.map((take, i) => {
      if (kinds[i] === "n") return trace.hyper(i).cast(type);
      const load = trace.input(take === "mask" ? "bool" : dtypes[type], perRow[i] ? "row" : "flat");
      return load as Scalar;
    }),
  );
  const isList = Array.isArray(found);
  const results = (isList ? found : [found]) as Scalar[];
  for (const result of results) {
    if (result instanceof Value || result instanceof Mask) continue;
    const hint = "Return a value, or an array of values.";
    throw new DescentError(
      "argument",
      name,
      "the fused function returned something else",
      { got: typeof result },
      hint,
    );
  }
  const outputs = results.map((result) => (result.type === type ? computed : dtypes[result.type]));
  const spec: Traced = {
    name,
    key,
    takes,
    dtype: () => computed,
    outputs: () => outputs,
    perRow: results.map((result) => folds && trace.levelOf(result) === "row"),
    body: (x) => [fn(...x)].flat() as Scalar[],
  };
  return { spec, isList };
}
