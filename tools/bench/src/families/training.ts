import {
  type Backend,
  buildContract,
  buildMap,
  type Kernel,
  type Launch,
  lerp,
  Trace,
  type Value,
} from "@descent/backend";
import { type Bench, giga } from "../bench.ts";

/** What training is made of, in the sizes of the models that the other benchmarks train: products, convolutions, whole optimizer steps. */
export async function training(bench: Bench): Promise<void> {
  await products(bench);
  for (const [channels, size, filters] of [
    [1, 30, 32],
    [32, 16, 64],
  ] as const) {
    await convolution(bench, channels, size, filters);
  }
  await adam(bench, 100, 100_000);
  await adam(bench, 20, 50);
}

function compile(backend: Backend, axes: { batch: number; rows: number; cols: number; inner: number }): Kernel {
  const trace = new Trace({ kind: "contract", rank: axes.batch + axes.rows + axes.cols });
  trace.bind("float32", "strided", "read");
  trace.bind("float32", "strided", "read");
  trace.output("float32", "flat", trace.accumulator("f32"));
  return backend.compile(buildContract(trace, axes).program);
}

/** The larger square products, whose sizes fit no block. */
async function products(bench: Bench): Promise<void> {
  const kernel = compile(bench.backend, { batch: 0, rows: 1, cols: 1, inner: 1 });
  for (const n of [1003, 1024]) {
    const [a, b, out] = [bench.random(n * n), bench.random(n * n), bench.random(n * n)];
    for (const [how, left, right] of [
      ["NN", [n, 0, 1], [0, 1, n]],
      ["NT", [n, 0, 1], [0, n, 1]],
      ["TN", [1, 0, n], [0, 1, n]],
    ] as const) {
      const args = [bench.arg(a, left), bench.arg(b, right), bench.arg(out)];
      const launch = { kernel, args, shape: [n, n, n], uniforms: [], label: "matmul" };
      await bench.launch(`${how} ${n} x ${n} over ${n}`, launch, 2 * n ** 3 * giga, "GFLOP/s");
    }
    bench.free(a, b, out);
  }
}

/** A 3 × 3 convolution of 64 images through a window layout, and the gradient of its weights. */
async function convolution(bench: Bench, channels: number, size: number, filters: number): Promise<void> {
  const [batch, out, taps, image] = [64, size - 2, channels * 9, size * size];
  const work = 2 * batch * filters * out * out * taps * giga;
  const [w, x, y] = [filters * taps, batch * channels * image, batch * filters * out * out].map((n) => bench.random(n));
  if (!w || !x || !y) return;
  const name = `${channels} to ${filters} channels of ${out} x ${out}`;
  const forward: Launch = {
    kernel: compile(bench.backend, { batch: 1, rows: 1, cols: 2, inner: 3 }),
    args: [
      bench.arg(w, [0, taps, 0, 0, 9, 3, 1]),
      bench.arg(x, [channels * image, 0, size, 1, image, size, 1]),
      bench.arg(y),
    ],
    shape: [batch, filters, out, out, channels, 3, 3],
    uniforms: [],
    label: "conv2d",
  };
  await bench.launch(name, forward, work, "GFLOP/s");
  const gradient: Launch = {
    kernel: compile(bench.backend, { batch: 0, rows: 1, cols: 3, inner: 3 }),
    args: [
      bench.arg(y, [out * out, 0, 0, 0, filters * out * out, out, 1]),
      bench.arg(x, [0, image, size, 1, channels * image, size, 1]),
      bench.arg(w),
    ],
    shape: [filters, channels, 3, 3, batch, out, out],
    uniforms: [],
    label: "conv2d",
  };
  await bench.launch(`${name}, its weights`, gradient, work, "GFLOP/s");
  bench.free(w, x, y);
}

/** A whole Adam step, one launch per tensor, handed over at once where the backend can. */
async function adam(bench: Bench, tensors: number, length: number): Promise<void> {
  const { backend } = bench;
  const trace = new Trace({ kind: "map", rank: 1 });
  const g = trace.input("float32") as Value;
  const [m, v, p] = [trace.update("float32"), trace.update("float32"), trace.update("float32")];
  const hyper = [0, 1, 2, 3, 4].map((slot) => trace.hyper(slot)) as [Value, Value, Value, Value, Value];
  const [lr, beta1, beta2, eps, step] = hyper;
  const mean = lerp(m.value as Value, g, beta1.complement());
  const square = (v.value as Value).mul(beta2).add(g.square().mul(beta2.complement()));
  const denominator = square.sqrt().div(beta2.pow(step).complement().sqrt()).add(eps);
  trace.store(p.binding, (p.value as Value).sub(mean.div(denominator).mul(lr.div(beta1.pow(step).complement()))));
  trace.store(m.binding, mean);
  trace.store(v.binding, square);
  const built = buildMap(trace);
  const kernel = backend.compile(built.program);
  const uniforms = built.uniforms([1e-3, 0.9, 0.999, 1e-8, 10]);
  const buffers = Array.from({ length: tensors }, () => [0, 1, 2, 3].map(() => bench.random(length)));
  const launches = buffers.map(
    (own): Launch => ({
      kernel,
      args: own.map((buffer) => bench.arg(buffer)),
      shape: [length],
      uniforms,
      label: "adam",
    }),
  );
  const run = () => {
    if (backend.submit) backend.submit(launches);
    else for (const launch of launches) backend.launch(launch);
  };
  const last = buffers[0]?.[3];
  if (last)
    await bench.run(`adam, ${tensors} tensors of ${length}, at once`, run, last, 28 * tensors * length * giga, "GB/s");
  bench.free(...buffers.flat());
}
