import { DescentError, isFloat, SparseTensor, Tensor } from "@descent/tensor";

/** Parameters as `model.parameters()` gives them, or with names as `model.namedParameters()` does. */
export type Params = Iterable<Tensor> | Iterable<readonly [string, Tensor]>;

/** A group as a caller gives it: parameters, and options that differ from the defaults. */
export type GivenGroup<O> = { readonly params: Tensor | Params } & Partial<O>;

/** A live parameter group: its options are plain properties that may be edited between steps. */
export type ParamGroup<O> = O & {
  params: Tensor[];
  /** One per parameter, when they were given with names. */
  paramNames?: string[];
  /** The lr a schedule scales; written by schedulers. */
  initialLr?: number;
};

const fail = (code: "argument" | "dtype", operation: string, fault: string, facts: object, hint = ""): never => {
  throw new DescentError(code, operation, fault, { ...facts }, hint);
};

const isIterable = (x: unknown): x is Iterable<unknown> =>
  typeof x === "object" && x !== null && Symbol.iterator in x && !ArrayBuffer.isView(x);

/** What a caller passed as parameters, as a list of groups. */
export function readGroups<O>(operation: string, params: unknown): GivenGroup<O>[] {
  if (params instanceof Tensor || !isIterable(params)) {
    const got = params instanceof Tensor ? "a tensor" : typeof params;
    return fail(
      "argument",
      operation,
      "takes a list of parameters",
      { got },
      "For example [p], or model.parameters().",
    );
  }
  const list = [...params];
  if (list.length === 0) {
    fail(
      "argument",
      operation,
      "the parameter list is empty",
      {},
      "A generator can be read only once: pass a fresh one.",
    );
  }
  const isGroup = (x: unknown) => typeof x === "object" && x !== null && !(x instanceof Tensor) && !Array.isArray(x);
  return (isGroup(list[0]) ? list : [{ params: list }]) as GivenGroup<O>[];
}

/** The parameters of one group, with their names if they have any; in PyTorch's order of checks. */
export function readParams(
  operation: string,
  group: GivenGroup<unknown>,
): { params: Tensor[]; names: string[] | null } {
  if (typeof group !== "object" || group === null || Array.isArray(group) || !("params" in group)) {
    fail(
      "argument",
      operation,
      "a parameter group is an object with params",
      { got: typeof group },
      "{ params, lr: 0.1 }",
    );
  }
  const given: unknown = group.params;
  if (given instanceof Set) fail("argument", operation, "a set has no order to rely on", {}, "Pass an array.");
  if (!(given instanceof Tensor) && !isIterable(given)) {
    fail("argument", operation, "params is no list of tensors", { got: typeof given });
  }
  const items: unknown[] = given instanceof Tensor ? [given] : [...(given as Iterable<unknown>)];
  const named = items.filter(Array.isArray).length;
  if (named > 0 && named < items.length)
    fail("argument", operation, "some parameters of a group have no name", { named });
  const params = items.map((item) => (Array.isArray(item) ? item[1] : item) as Tensor);
  params.forEach((p, i) => {
    if (!(p instanceof Tensor))
      fail("argument", operation, "a parameter is no tensor", { parameter: i, got: typeof p });
  });
  return { params, names: named > 0 ? items.map((item) => String((item as [string, Tensor])[0])) : null };
}

/** Throws for a tensor that cannot be optimized. */
export function checkParam(operation: string, p: Tensor, facts: object, differentiable: boolean): void {
  if (!isFloat(p.dtype)) {
    const all = { ...facts, dtype: p.dtype };
    fail("dtype", operation, "only floating point tensors can be optimized", all, 'Make it with { dtype: "float32" }.');
  }
  if (p instanceof SparseTensor) fail("argument", operation, "a parameter is sparse", facts, "Parameters are dense.");
  if (!p.isLeaf && !differentiable) {
    const all = { ...facts, shape: p.shape };
    fail(
      "argument",
      operation,
      "the parameter is the result of an operation",
      all,
      "Pass variable(t) or nn.Parameter.",
    );
  }
}

/** Throws when a parameter occurs twice, in one group or in two. */
export function checkDistinct(
  operation: string,
  params: readonly Tensor[],
  groups: readonly { params: Tensor[] }[],
): void {
  const seen = new Map<Tensor, string>();
  for (const [i, group] of groups.entries()) for (const p of group.params) seen.set(p, `group ${i}`);
  params.forEach((p, i) => {
    const place = `group ${groups.length}, parameter ${i}`;
    const first = seen.get(p);
    if (first !== undefined) {
      const hint = "It would be stepped twice; name every parameter once.";
      fail("argument", operation, "a parameter appears twice", { first, again: place, shape: p.shape }, hint);
    }
    seen.set(p, place);
  });
}
