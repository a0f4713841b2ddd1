import { noGrad } from "@descent/autograd";
import { checkOptions, DescentError, defaultGenerator, type Tensor, tensor } from "@descent/tensor";

// Initialisers that compute their numbers here rather than on the backend: they run once, and would be slower to say there.

/** Runs `fill` on `t` without recording it, also where `t` is a parameter. */
export function unrecorded(t: Tensor, fill: (t: Tensor) => void): Tensor {
  noGrad(() => fill(t));
  return t;
}

/** Copies numbers in row-major order into `t`. */
export const write_ = (t: Tensor, numbers: Float64Array): Tensor => {
  const dtype = t.dtype === "float64" ? "float64" : "float32";
  return unrecorded(t, (x) => x.copy_(tensor(numbers, { dtype, backend: x.backend }).reshape(x.shape)));
};

export function checkRank(operation: string, { shape }: Tensor, fits: boolean, needed: string): void {
  if (fits) return;
  throw new DescentError("shape", operation, `takes ${needed}`, { shape: `[${shape.join(", ")}]` });
}

type Uniform = () => number;

/** Uniform numbers in [0, 1): one more draw from the generator that `manualSeed` seeds. */
function hostUniform(): Uniform {
  const stream = defaultGenerator.stream();
  return () => stream.next();
}

/** A standard normal number. Box & Muller 1958. */
const normal = (uniform: Uniform): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** A standard normal number within [low, high], by rejection from the better of two proposals. Robert 1995. */
function truncated(uniform: Uniform, low: number, high: number): number {
  const wide = low <= 0 && high >= 0 && high - low > Math.sqrt(2 * Math.PI);
  const nearest = Math.max(low, Math.min(high, 0));
  for (;;) {
    const z = wide ? normal(uniform) : low + (high - low) * uniform();
    const accepted = wide ? z >= low && z <= high : uniform() < Math.exp((nearest * nearest - z * z) / 2);
    if (accepted) return z;
  }
}

export interface TruncNormalOptions {
  /** Default: 0. */
  readonly mean?: number;
  /** Default: 1. */
  readonly std?: number;
  /** Bounds of the values themselves. Default: −2 and 2. */
  readonly a?: number;
  readonly b?: number;
}

/** Normal, but only values within [a, b] (torch.nn.init.trunc_normal_). */
export function truncNormal_(t: Tensor, options: TruncNormalOptions = {}): Tensor {
  checkOptions("truncNormal_", options, ["mean", "std", "a", "b"]);
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  if (!(a < b && std > 0))
    throw new DescentError("argument", "truncNormal_", "needs a < b, and a positive std", { a, b, std });
  const uniform = hostUniform();
  const [low, high] = [(a - mean) / std, (b - mean) / std];
  return write_(
    t,
    new Float64Array(t.size).map(() => Math.min(b, Math.max(a, mean + std * truncated(uniform, low, high)))),
  );
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** Makes random vectors orthonormal, one after the other; twice, since once is not exact (Gram and Schmidt). */
function orthonormal(count: number, length: number, uniform: Uniform): Float64Array[] {
  const found: Float64Array[] = [];
  while (found.length < count) {
    const next = new Float64Array(length).map(() => normal(uniform));
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of found) {
        const share = dot(next, earlier);
        for (let i = 0; i < length; i++) next[i] = (next[i] as number) - share * (earlier[i] as number);
      }
      const norm = Math.sqrt(dot(next, next));
      for (let i = 0; i < length; i++) next[i] = (next[i] as number) / norm;
    }
    found.push(next);
  }
  return found;
}

/**
 * A random (semi-)orthogonal matrix times `gain` (default 1); axes from the second on count as one.
 * Saxe et al. 2013, arXiv:1312.6120; torch.nn.init.orthogonal_.
 */
export function orthogonal_(t: Tensor, options: { readonly gain?: number } = {}): Tensor {
  checkOptions("orthogonal_", options, ["gain"]);
  checkRank("orthogonal_", t, t.ndim >= 2, "two axes at least");
  if (t.size === 0) return t;
  const { gain = 1 } = options;
  const rows = t.shape[0] as number;
  const columns = t.size / rows;
  const flat = rows < columns;
  const vectors = orthonormal(Math.min(rows, columns), Math.max(rows, columns), hostUniform());
  const at = (row: number, column: number) => (flat ? vectors[row]?.[column] : vectors[column]?.[row]) as number;
  return write_(
    t,
    new Float64Array(t.size).map((_, i) => gain * at(Math.floor(i / columns), i % columns)),
  );
}

/**
 * Zeros in a share `sparsity` of every column of a matrix, the rest normal with deviation `std` (default 0.01).
 * Martens 2010; torch.nn.init.sparse_.
 */
export function sparse_(t: Tensor, sparsity: number, options: { readonly std?: number } = {}): Tensor {
  checkOptions("sparse_", options, ["std"]);
  checkRank("sparse_", t, t.ndim === 2, "a matrix");
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new DescentError("argument", "sparse_", "sparsity is no share", { sparsity }, "It is between 0 and 1.");
  const { std = 0.01 } = options;
  const uniform = hostUniform();
  const [rows, columns] = t.shape as [number, number];
  const numbers = new Float64Array(t.size).map(() => std * normal(uniform));
  for (let column = 0; column < columns; column++) {
    const left = Array.from({ length: rows }, (_, row) => row);
    for (let zeros = Math.ceil(sparsity * rows); zeros > 0; zeros--) {
      const [row] = left.splice(Math.floor(uniform() * left.length), 1) as [number];
      numbers[row * columns + column] = 0;
    }
  }
  return write_(t, numbers);
}
