import {
  type Backend,
  type Buffer,
  buildContract,
  buildFold,
  buildMap,
  type DType,
  type Kernel,
  type Launch,
  lerp,
  Trace,
  type Value,
} from "@descent/backend";
import type { JaxModule } from "../peers/jax.ts";
import { currentBackend } from "../prepare.ts";
import type { Family, Prepared, Task } from "../task.ts";
import { jaxProduct } from "./contract.ts";

interface Sizes {
  readonly length: number;
  readonly adam: number;
  readonly tensors: readonly number[];
  readonly products: readonly number[];
}

/**
 * What a GPU is bought for: bandwidth of maps and folds against a plain copy, whole Adam steps over a model in few and in many
 * pieces, large products in float32 and from float16. Launches go to the backend directly; buffers hold zeros.
 */
const family = ({ length, adam, tensors, products }: Sizes): Task[] => [
  copy(length),
  map("gelu", length, 1),
  map("x · y + x", length, 2),
  ...[1, 1024, length / 64].map((rows) => sum(rows, length / rows)),
  ...tensors.map((count) => adamStep(count, Math.floor(adam / count))),
  ...(["float32", "float16"] as const).flatMap((dtype) =>
    products.flatMap((n) => (["NN", "NT", "TN"] as const).map((how) => product(dtype, how, n))),
  ),
];

export const gpu: Family = () =>
  family({ length: 2 ** 26, adam: 100_000_000, tensors: [1, 100, 1000], products: [256, 512, 1024, 2048, 4096] });

/** Sizes that a software adapter gets through: they show that everything runs. */
export const gpuSmall: Family = () =>
  family({ length: 2 ** 16, adam: 100_000, tensors: [1, 100], products: [64, 128] });

/** Runs launches over and over; waiting is reading one element of what the last one wrote. */
function prepared(backend: Backend, launches: readonly Launch[], buffers: readonly Buffer[]): Prepared {
  const last = launches.at(-1)!.args.at(-1)!.buffer;
  return {
    run() {
      for (const launch of launches) backend.launch(launch);
    },
    settle: () => backend.read(last, 0, 1),
    dispose() {
      for (const buffer of buffers) backend.free(buffer);
    },
  };
}

const flat = (buffers: readonly Buffer[], strides: readonly (readonly number[])[] = []) =>
  buffers.map((buffer, k) => ({ buffer, offset: 0, strides: strides[k] ?? [] }));

function one(
  kernel: Kernel,
  buffers: readonly Buffer[],
  shape: readonly number[],
  strides: readonly (readonly number[])[] = [],
): Launch {
  return { kernel, args: flat(buffers, strides), shape, uniforms: [], label: "bench" };
}

export const copy = (length: number): Task => ({
  name: `copy of ${length}`,
  bytes: 8 * length,
  torch: { setup: `x, y = torch.zeros(${length}), torch.zeros(${length})`, run: "y.copy_(x)" },
  descent() {
    const backend = currentBackend();
    const trace = new Trace({ kind: "map", rank: 1 });
    trace.output("float32", "flat", trace.input("float32"));
    const buffers = [0, 1].map(() => backend.alloc("float32", length));
    return prepared(backend, [one(backend.compile(buildMap(trace).program), buffers, [length])], buffers);
  },
});

/** A map of `inputs` operands, of little arithmetic or much. */
const map = (name: "gelu" | "x · y + x", length: number, inputs: number): Task => ({
  name: `${name} of ${length}`,
  bytes: 4 * (inputs + 1) * length,
  torch: {
    setup: `x, y = torch.zeros(${length}), torch.zeros(${length})`,
    run: name === "gelu" ? "F.gelu(x)" : "torch.addcmul(x, x, y)",
  },
  descent() {
    const backend = currentBackend();
    const trace = new Trace({ kind: "map", rank: 1 });
    const [x, y] = Array.from({ length: inputs }, () => trace.input("float32") as Value) as [Value, Value];
    const gelu = () => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
    trace.output("float32", "flat", name === "gelu" ? gelu() : x.mul(y).add(x));
    const buffers = Array.from({ length: inputs + 1 }, () => backend.alloc("float32", length));
    return prepared(backend, [one(backend.compile(buildMap(trace).program), buffers, [length])], buffers);
  },
});

const sum = (rows: number, width: number): Task => ({
  name: `sum, ${rows} x ${width}`,
  bytes: 4 * rows * width,
  torch: { setup: `x = torch.zeros(${rows}, ${width})`, run: "x.sum(1)" },
  descent() {
    const backend = currentBackend();
    const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
    trace.output("float32", "row", (trace.input("float32") as Value).sum());
    const buffers = [rows * width, rows].map((length) => backend.alloc("float32", length));
    return prepared(backend, [one(backend.compile(buildFold(trace).program), buffers, [rows, width])], buffers);
  },
});

const adamStep = (tensors: number, length: number): Task => ({
  name: `adam, ${tensors} tensors of ${length}`,
  bytes: 28 * tensors * length,
  torch: {
    setup: `ps = [nn.Parameter(torch.zeros(${length})) for _ in range(${tensors})]
for p in ps: p.grad = torch.zeros_like(p)
o = torch.optim.Adam(ps, fused=True)`,
    run: "o.step()",
  },
  descent() {
    const backend = currentBackend();
    const trace = new Trace({ kind: "map", rank: 1 });
    const g = trace.input("float32") as Value;
    const [m, v, p] = [trace.update("float32"), trace.update("float32"), trace.update("float32")];
    const [rate, beta1, beta2, eps] = [0, 1, 2, 3].map((slot) => trace.hyper(slot)) as [Value, Value, Value, Value];
    const mean = lerp(m.value as Value, g, beta1.complement());
    const square = (v.value as Value).mul(beta2).add(g.square().mul(beta2.complement()));
    trace.store(p.binding, (p.value as Value).sub(mean.div(square.sqrt().add(eps)).mul(rate)));
    trace.store(m.binding, mean);
    trace.store(v.binding, square);
    const { program, uniforms } = buildMap(trace);
    const kernel = backend.compile(program);
    const values = uniforms([1e-3, 0.9, 0.999, 1e-8]);
    const buffers = Array.from({ length: tensors }, () => [0, 1, 2, 3].map(() => backend.alloc("float32", length)));
    const launches = buffers.map((own) => ({ ...one(kernel, own, [length]), uniforms: values }));
    return prepared(backend, launches, buffers.flat());
  },
});

const product = (dtype: DType, how: "NN" | "NT" | "TN", n: number): Task => ({
  name: `${dtype} ${how} ${n}`,
  flops: 2 * n ** 3,
  ...(dtype === "float32" && { jax: (jax: JaxModule) => jaxProduct(jax, n, how[0] === "T", how[1] === "T") }),
  torch: {
    setup: `a, b = torch.zeros(${n}, ${n}).to(torch.${dtype}), torch.zeros(${n}, ${n}).to(torch.${dtype})`,
    run: `a${how[0] === "T" ? ".T" : ""} @ b${how[1] === "T" ? ".T" : ""}`,
  },
  descent() {
    const backend = currentBackend();
    const trace = new Trace({ kind: "contract", rank: 2 });
    trace.bind(dtype, "strided", "read");
    trace.bind(dtype, "strided", "read");
    trace.output(dtype, "flat", trace.accumulator("f32"));
    const kernel = backend.compile(buildContract(trace, { batch: 0, rows: 1, cols: 1, inner: 1 }).program);
    const buffers = [0, 1, 2].map(() => backend.alloc(dtype, n * n));
    const strides = [how[0] === "T" ? [1, 0, n] : [n, 0, 1], how[1] === "T" ? [0, n, 1] : [0, 1, n], []];
    return prepared(backend, [one(kernel, buffers, [n, n, n], strides)], buffers);
  },
});
