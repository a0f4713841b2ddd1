import { runTraced, Tensor, type Traced, type Value } from "@descent/tensor";
import { numbers, type Request } from "../core/drive.ts";
import { drop, keep } from "../core/keep.ts";

const fold = (key: string, f: (x: readonly Value[]) => Value): Traced => ({
  name: "LBFGS",
  key: `LBFGS ${key}`,
  dtype: ([x]) => (x as Tensor).dtype,
  perRow: [true],
  body: (x) => [f(x)],
});
const map = (key: string, f: (x: readonly Value[]) => Value): Traced => ({ ...fold(key, f), perRow: [false] });

export const specs = {
  dot: fold("dot", ([a, b]) => a!.mul(b!).sum()),
  /** Times a number. */
  scaledDot: fold("scaled dot", ([a, b, scale]) => a!.mul(b!).sum().mul(scale!)),
  largest: fold("largest", ([a]) => a!.abs().amax()),
  total: fold("total", ([a]) => a!.abs().sum()),
  sub: map("sub", ([a, b]) => a!.sub(b!)),
  scale: map("scale", ([a, k]) => a!.mul(k!)),
  /** q − a·y. */
  away: map("away", ([q, y, a]) => q!.sub(y!.mul(a!))),
  /** r + (a − b)·s. */
  toward: map("toward", ([r, s, a, b]) => r!.add(s!.mul(a!.sub(b!)))),
  /** p + t·d. */
  move: map("move", ([p, d, t]) => p!.add(d!.mul(t!))),
};
export const compute = (spec: Traced, ...operands: (Tensor | number)[]): Tensor =>
  runTraced(spec, operands)[0] as Tensor;
export const measure = (spec: Traced, ...operands: (Tensor | number)[]): Tensor =>
  runTraced(spec, operands, { dims: [0] })[0] as Tensor;
export const change = (spec: Traced, ...operands: (Tensor | number)[]): void => {
  runTraced(spec, operands, { into: [0] });
};

/** Everything the method remembers between steps, spelled as PyTorch saves it: `old_dirs` are y, `old_stps` are s. */
export interface Memory {
  func_evals: number;
  n_iter: number;
  d: Tensor;
  t: number;
  old_dirs: Tensor[];
  old_stps: Tensor[];
  /** 1 / yᵀs. */
  ro: number[];
  H_diag: number;
  prev_flat_grad: Tensor;
  prev_loss: number;
}

/** A loaded state may hold tensors where numbers are kept. */
export function* restore(state: Partial<Memory>): Generator<Request, void, unknown> {
  const bag = state as Record<string, unknown>;
  for (const key of ["t", "H_diag", "prev_loss", "n_iter", "func_evals"])
    if (bag[key] instanceof Tensor) [bag[key]] = yield* numbers(bag[key].reshape([]));
  const loaded = (state.ro ?? []) as unknown[];
  for (const [i, ro] of loaded.entries()) if (ro instanceof Tensor) [loaded[i]] = yield* numbers(ro.reshape([]));
}

/** Sets the search direction −H·g: remembers the last pair, then goes through all of them in both directions. */
export function* direct(
  state: Partial<Memory>,
  gradient: Tensor,
  historySize: number,
): Generator<Request, void, unknown> {
  if (state.n_iter === 1 || !state.d || !state.prev_flat_grad) {
    drop(state.d);
    Object.assign(state, {
      d: keep(compute(specs.scale, gradient, -1)),
      old_dirs: [],
      old_stps: [],
      ro: [],
      H_diag: 1,
    });
    return;
  }
  const { old_dirs: ys, old_stps: ss, ro } = state as Memory;
  const y = compute(specs.sub, gradient, state.prev_flat_grad);
  const s = compute(specs.scale, state.d, state.t as number);
  const [product = 0, square = 0] = yield* numbers(measure(specs.dot, y, s), measure(specs.dot, y, y));
  if (product > 1e-10) {
    if (ys.length === historySize) {
      drop(ys.shift());
      drop(ss.shift());
      ro.shift();
    }
    ys.push(keep(y));
    ss.push(keep(s));
    ro.push(1 / product);
    state.H_diag = product / square;
  }
  const along: Tensor[] = [];
  const q = compute(specs.scale, gradient, -1);
  for (let i = ys.length - 1; i >= 0; i--) {
    along[i] = measure(specs.scaledDot, ss[i]!, q, ro[i]!);
    change(specs.away, q, ys[i]!, along[i]!);
  }
  const r = compute(specs.scale, q, state.H_diag as number);
  for (let i = 0; i < ys.length; i++) {
    change(specs.toward, r, ss[i]!, along[i]!, measure(specs.scaledDot, ys[i]!, r, ro[i]!));
  }
  state.d = keep(r, state.d);
}
