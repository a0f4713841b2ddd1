import { buildContract, Trace } from "@descent/backend";
import { type Bench, giga } from "../bench.ts";

/** Matrix products: square ones, odd ones, thin ones, each as they come in a linear layer's forward and backward. */
const sizes: readonly (readonly [rows: number, cols: number, inner: number])[] = [
  [64, 64, 64],
  [127, 127, 127],
  [128, 128, 128],
  [255, 255, 255],
  [256, 256, 256],
  [512, 512, 512],
  [128, 256, 784],
  [128, 10, 128],
  [1, 512, 512],
  [512, 1, 512],
];

export async function contract(bench: Bench): Promise<void> {
  const { backend } = bench;
  const trace = new Trace({ kind: "contract", rank: 2 });
  trace.bind("float32", "strided", "read");
  trace.bind("float32", "strided", "read");
  trace.output("float32", "flat", trace.accumulator("f32"));
  const kernel = backend.compile(buildContract(trace, { batch: 0, rows: 1, cols: 1, inner: 1 }).program);
  for (const [m, n, k] of sizes) {
    const [a, b, out] = [bench.random(m * k), bench.random(k * n), bench.random(m * n)];
    for (const how of ["NN", "NT", "TN"]) {
      const left = bench.arg(a, how[0] === "T" ? [1, 0, m] : [k, 0, 1]);
      const right = bench.arg(b, how[1] === "T" ? [0, k, 1] : [0, 1, n]);
      const launch = { kernel, args: [left, right, bench.arg(out)], shape: [m, n, k], uniforms: [], label: "matmul" };
      await bench.launch(`${how} ${m} x ${n} over ${k}`, launch, 2 * m * n * k * giga, "GFLOP/s");
    }
    bench.free(a, b, out);
  }
}
