import { type Launch, prepareTraced, type Tensor, type Traced, type TracedCall } from "@descent/tensor";

type Operand = Tensor | number;

/** Launches that are collected, then handed to their backends in one go each. */
export class Launches {
  readonly #lists = new Map<Tensor["runtime"], Launch[]>();

  /** Adds a launch of `spec`; gives its results, which hold what they should once `submit` has run. */
  add(spec: Traced, operands: readonly Operand[], call: TracedCall): Tensor[] {
    const { plan, kernel, uniforms } = prepareTraced(spec, operands, call);
    const list = this.#lists.get(plan.runtime) ?? [];
    list.push({ kernel, args: plan.args, shape: plan.shape, uniforms: uniforms(plan.hyper), label: spec.name });
    this.#lists.set(plan.runtime, list);
    plan.into.forEach((target, i) => {
      if (target !== null) (plan.results[i] as Tensor).storage.version++;
    });
    return plan.results;
  }

  submit(): void {
    for (const [runtime, list] of this.#lists) runtime.submit(list);
    this.#lists.clear();
  }
}

/** Most tensors of one size that share a launch: more would not fit the bindings of every backend. */
const most = 6;

/** `tensors` in runs that one launch can serve: flat, of one dtype and size, on one backend; others alone. */
export function alike(tensors: readonly Tensor[]): Tensor[][] {
  const open = new Map<string, Tensor[]>();
  const runs: Tensor[][] = [];
  const runtimes = new Map<Tensor["runtime"], number>();
  for (const x of tensors) {
    const flat = flattened(x);
    if (!runtimes.has(x.runtime)) runtimes.set(x.runtime, runtimes.size);
    const key = `${x.dtype} ${x.size} ${runtimes.get(x.runtime)}`;
    const run = flat && open.get(key);
    if (run && run.length < most) run.push(flat);
    else {
      const fresh = [flat ?? x];
      runs.push(fresh);
      if (flat) open.set(key, fresh);
    }
  }
  return runs;
}

/** The same memory as one axis, where the elements fill one stretch of it in whatever order; null where they do not. */
function flattened(x: Tensor): Tensor | null {
  const axes = [...x.shape.keys()].filter((axis) => x.shape[axis] !== 1);
  axes.sort((a, b) => (x.strides[a] as number) - (x.strides[b] as number));
  let step = 1;
  for (const axis of axes) {
    if (x.strides[axis] !== step) return null;
    step *= x.shape[axis] as number;
  }
  return x.make(x.storage, [x.size], [1], x.offset);
}
