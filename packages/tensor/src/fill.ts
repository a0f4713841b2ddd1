import { DescentError, type DType, dtypeKind, type Mask, type Shape, type Value, valueType } from "@descent/backend";
import { type CreateOptions, empty } from "./create.ts";
import { pow } from "./ops/arithmetic.ts";
import { to, writeSpec } from "./ops/copy.ts";
import { checkOptions } from "./options.ts";
import { defaultDType } from "./promote.ts";
import type { Tensor } from "./tensor.ts";
import { runTraced, type Traced } from "./traced.ts";

const created = ["dtype", "backend"] as const;

/** The options that make a tensor live where `like` does, in its dtype unless another is given. */
const optionsLike = (name: string, like: Tensor, { dtype, ...rest }: Pick<CreateOptions, "dtype">): CreateOptions => {
  checkOptions(name, rest, ["dtype"]);
  return { dtype: dtype ?? like.dtype, backend: like.backend };
};

function constant(name: string, shape: Shape, value: number, options: CreateOptions): Tensor {
  checkOptions(name, options, created);
  const result = empty(shape, options, name);
  return runTraced(writeSpec, [result, result.dtype === "bool" ? Number(value !== 0) : value], {
    into: [0],
  })[0] as Tensor;
}

/** A tensor of `shape` filled with zeros. Default dtype: float32. */
export const zeros = (shape: Shape, options: CreateOptions = {}): Tensor => constant("zeros", shape, 0, options);
/** A tensor of `shape` filled with ones. Default dtype: float32. */
export const ones = (shape: Shape, options: CreateOptions = {}): Tensor => constant("ones", shape, 1, options);
/** A tensor of `shape` filled with `value`. Default dtype: float32, for a boolean bool. (PyTorch makes int64 of whole numbers; JavaScript does not tell 1 from 1.0.) */
export const full = (shape: Shape, value: number | boolean, options: CreateOptions = {}): Tensor =>
  constant("full", shape, Number(value), typeof value === "boolean" ? { dtype: "bool", ...options } : options);

/** As the functions above, in the shape, dtype and place of `like`. */
export const emptyLike = (like: Tensor, options: Pick<CreateOptions, "dtype"> = {}): Tensor =>
  empty(like.shape, optionsLike("emptyLike", like, options), "emptyLike");
export const zerosLike = (like: Tensor, options: Pick<CreateOptions, "dtype"> = {}): Tensor =>
  constant("zerosLike", like.shape, 0, optionsLike("zerosLike", like, options));
export const onesLike = (like: Tensor, options: Pick<CreateOptions, "dtype"> = {}): Tensor =>
  constant("onesLike", like.shape, 1, optionsLike("onesLike", like, options));
export const fullLike = (like: Tensor, value: number | boolean, options: Pick<CreateOptions, "dtype"> = {}): Tensor =>
  constant("fullLike", like.shape, Number(value), optionsLike("fullLike", like, options));

type Body = (index: Value, numbers: readonly Value[]) => Value | Mask;

/** Fills `target`, which is row-major, from the number of each element: one launch; `numbers` are uniforms. */
function generate(name: string, target: Tensor, numbers: readonly number[], body: Body, computed: DType): Tensor {
  const spec: Traced = {
    name,
    key: name,
    overwrites: true,
    dtype: () => computed,
    body: ([, ...x], trace) => [body(trace.index(-1).cast(valueType(computed)), x)],
  };
  return runTraced(spec, [target, ...numbers], { into: [0] })[0] as Tensor;
}

/** What a sequence of this dtype is computed in. */
const computing = (dtype: DType): DType => (dtypeKind(dtype) === "bool" ? "int32" : dtype);

/**
 * Numbers from `start` (default 0) up to, not including, `end`, `step` (default 1) apart: `arange(end)`, `arange(start, end, step)`.
 * Default dtype: int64 where all three are whole, else float32.
 */
export function arange(end: number, options?: CreateOptions): Tensor;
export function arange(start: number, end: number, options?: CreateOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: CreateOptions): Tensor;
export function arange(...args: (number | CreateOptions | undefined)[]): Tensor {
  const options = (typeof args.at(-1) === "number" ? {} : (args.pop() ?? {})) as CreateOptions;
  checkOptions("arange", options, created);
  const given = (args.length === 1 ? [0, ...args] : args) as [number, number, number?];
  const [start, end, step = 1] = given;
  const fail = (fault: string, hint: string) => {
    throw new DescentError("argument", "arange", fault, { start, end, step }, hint);
  };
  const whole = [start, end, step].every(Number.isInteger);
  if (![start, end, step].every(Number.isFinite)) fail("takes finite numbers", "For example: arange(0, 10, 2).");
  const dtype = options.dtype ?? (whole ? "int64" : defaultDType);
  const [first, distance] = dtypeKind(dtype) === "int" ? [Math.trunc(start), Math.trunc(step)] : [start, step];
  if (distance === 0) fail("the step is zero", "Give a step that leads from start to end.");
  const size = Math.ceil((end - start) / distance);
  if (size < 0) fail("the step leads away from the end", "Change its sign, or swap the bounds.");
  const target = empty([size], { ...options, dtype }, "arange");
  return generate(
    "arange",
    target,
    [first, distance],
    (i, [a, d]) => i.mul(d as Value).add(a as Value),
    computing(dtype),
  );
}

/** `steps` numbers from `start` to `end`, both included, evenly spaced. Default dtype: float32. */
export function linspace(start: number, end: number, steps: number, options: CreateOptions = {}): Tensor {
  checkOptions("linspace", options, created);
  checkCount("linspace", "steps", steps);
  const target = empty([steps], options, "linspace");
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  const body: Body = (i, [a, b, d, last]) => {
    const [fromStart, fromEnd] = [
      i.mul(d as Value).add(a as Value),
      i
        .sub(last as Value)
        .mul(d as Value)
        .add(b as Value),
    ];
    return i
      .mul(2)
      .le(last as Value)
      .select(fromStart, fromEnd); // exact at both ends
  };
  const real = dtypeKind(target.dtype) === "float" ? target.dtype : defaultDType;
  return generate("linspace", target, [start, steps > 1 ? end : start, step, steps - 1], body, real);
}

/** `base` (default 10) to the powers that `linspace(start, end, steps)` gives. Default dtype: float32. */
export function logspace(start: number, end: number, steps: number, options: LogspaceOptions = {}): Tensor {
  const { base = 10, dtype = defaultDType, ...rest } = options;
  checkOptions("logspace", rest, ["backend"]);
  const exponents = linspace(start, end, steps, {
    ...rest,
    dtype: dtypeKind(dtype) === "float" ? dtype : defaultDType,
  });
  return to(pow(base, exponents), dtype);
}

export interface LogspaceOptions extends CreateOptions {
  /** Default: 10. */
  readonly base?: number;
}

/** A matrix with ones on its diagonal: `eye(n)` is n × n, `eye(n, m)` n × m. Default dtype: float32. */
export function eye(n: number, options?: CreateOptions): Tensor;
export function eye(n: number, m: number, options?: CreateOptions): Tensor;
export function eye(n: number, second: number | CreateOptions = n, third: CreateOptions = {}): Tensor {
  const [m, options] = typeof second === "number" ? [second, third] : [n, second];
  checkOptions("eye", options, created);
  for (const extent of [n, m]) checkCount("eye", "size", extent);
  const body: Body = (i, [step, end]) =>
    i
      .remainder(step as Value)
      .eq(0)
      .and(i.lt(end as Value));
  return generate("eye", empty([n, m], options, "eye"), [m + 1, Math.min(n, m) * (m + 1)], body, "int64");
}

function checkCount(operation: string, name: string, count: number): void {
  if (Number.isInteger(count) && count >= 0) return;
  throw new DescentError(
    "argument",
    operation,
    `${name} is no count`,
    { [name]: count },
    "It is an integer of at least 0.",
  );
}
