import { type Launch, type Prepared, prepareTraced, type Tensor, type Traced, type TracedCall } from "@descent/tensor";

type Operand = Tensor | number;

/** What two launches over flat tensors share, whatever their memory, sizes and numbers. */
interface Pattern extends Pick<Prepared, "kernel" | "uniforms"> {
  readonly label: string;
}

const patterns = new WeakMap<Tensor["runtime"], Map<string, Pattern>>();

/** The pattern of a launch of this structure: traced, planned and compiled once. */
function patternOf(runtime: Tensor["runtime"], key: string, make: () => Prepared, label: string): Pattern {
  const known = patterns.get(runtime) ?? new Map<string, Pattern>();
  patterns.set(runtime, known);
  let pattern = known.get(key);
  if (!pattern) {
    const { kernel, uniforms } = make();
    pattern = { kernel, uniforms, label };
    known.set(key, pattern);
  }
  return pattern;
}

/** Launches that are collected, then handed to their backends in one go each. */
export class Launches {
  readonly #lists = new Map<Tensor["runtime"], Launch[]>();

  /** Adds a launch of `spec`; gives its results, which hold what they should once `submit` has run. */
  add(spec: Traced, operands: readonly Operand[], call: TracedCall): Tensor[] {
    const { plan, kernel, uniforms } = prepareTraced(spec, operands, call);
    const launch = { kernel, args: plan.args, shape: plan.shape, uniforms: uniforms(plan.hyper), label: spec.name };
    this.#list(plan.runtime).push(launch);
    plan.into.forEach((target, i) => {
      if (target !== null) (plan.results[i] as Tensor).storage.version++;
    });
    return plan.results;
  }

  /**
   * Adds a launch over a run of `alike`: `operands` are single elements and numbers, then the run, all apart in memory. With `fold`
   * the run is folded. A run of flat tensors costs no planning after the first of its structure.
   */
  addRun(
    spec: Traced,
    operands: readonly Operand[],
    run: readonly Tensor[],
    into: readonly number[],
    fold = false,
  ): void {
    const [x] = run as [Tensor];
    const all = [...operands, ...run];
    const call = { into, shape: x.shape, ...(fold && { dims: [...x.shape.keys()] }) };
    if (x.ndim !== 1 || x.strides[0] !== 1) {
      this.add(spec, all, call);
      return;
    }
    const { runtime } = x;
    const dtypes = all.map((operand) => (typeof operand === "number" ? "number" : operand.dtype));
    const key = `${spec.key}|${dtypes.join()}|${x.size === 1}`;
    const { kernel, uniforms, label } = patternOf(runtime, key, () => prepareTraced(spec, all, call), spec.name);
    const args = [];
    const numbers = [fold ? x.size : 1];
    for (const operand of all) {
      if (typeof operand === "number") numbers.push(operand);
      else args.push({ buffer: operand.storage.buffer(label), offset: operand.offset, strides: [] });
    }
    this.#list(runtime).push({ kernel, args, shape: [x.size], uniforms: uniforms(numbers), label });
    for (const i of into) (all[i] as Tensor).storage.version++;
  }

  #list(runtime: Tensor["runtime"]): Launch[] {
    const list = this.#lists.get(runtime) ?? [];
    this.#lists.set(runtime, list);
    return list;
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

/** `tensors` of one shape, each as one axis where all lie alike: a run that needs no planning; else as they are. */
export function flatTogether(tensors: readonly Tensor[]): readonly Tensor[] {
  const [first] = tensors as [Tensor];
  const alike = tensors.every(({ strides }) => strides.every((step, axis) => step === first.strides[axis]));
  const flat = alike ? tensors.map(flattened) : [null];
  return flat.every((x) => x !== null) ? flat : tensors;
}

/** The same memory as one axis, where the elements fill one stretch of it in whatever order; null where they do not. */
function flattened(x: Tensor): Tensor | null {
  if (x.ndim === 1 && x.strides[0] === 1) return x;
  const axes = [...x.shape.keys()].filter((axis) => x.shape[axis] !== 1);
  axes.sort((a, b) => (x.strides[a] as number) - (x.strides[b] as number));
  let step = 1;
  for (const axis of axes) {
    if (x.strides[axis] !== step) return null;
    step *= x.shape[axis] as number;
  }
  return x.make(x.storage, [x.size], [1], x.offset);
}
