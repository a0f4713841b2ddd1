import { buildContract, buildFold, buildMap, lerp, Trace, type Value } from "@descent/backend";
import type { Bench } from "../bench.ts";

/** What a launch costs beside its work: time per call is the figure. */
export async function small(bench: Bench): Promise<void> {
  const { backend } = bench;
  const length = 16;
  const buffers = [bench.random(length), bench.random(length), bench.random(length)] as const;
  const [a, b, out] = buffers;

  const add = new Trace({ kind: "map", rank: 1 });
  add.output("float32", "flat", (add.input("float32") as Value).add(add.input("float32") as Value));
  const adding = { args: buffers.map((buffer) => bench.arg(buffer)), shape: [length], uniforms: [], label: "add" };
  await bench.launch("add of 16", { kernel: backend.compile(buildMap(add).program), ...adding });

  const sum = new Trace({ kind: "fold", rank: 1, reduced: 1 });
  sum.output("float32", "row", (sum.input("float32") as Value).sum());
  const summing = { args: [bench.arg(a), bench.arg(out)], shape: [length], uniforms: [], label: "sum" };
  await bench.launch("sum of 16", { kernel: backend.compile(buildFold(sum).program), ...summing });

  const product = new Trace({ kind: "contract", rank: 2 });
  product.bind("float32", "strided", "read");
  product.bind("float32", "strided", "read");
  product.output("float32", "flat", product.accumulator("f32"));
  const { program } = buildContract(product, { batch: 0, rows: 1, cols: 1, inner: 1 });
  const args = [bench.arg(a, [4, 0, 1]), bench.arg(b, [0, 1, 4]), bench.arg(out)];
  await bench.launch("product of 4 x 4", {
    kernel: backend.compile(program),
    args,
    shape: [4, 4, 4],
    uniforms: [],
    label: "matmul",
  });

  await bench.run("alloc and free of 16", () => backend.free(backend.alloc("float32", length)), out);
  const data = new Float32Array(length);
  await bench.run("write of 16", () => backend.write(a, data), out);
  bench.free(...buffers);
  await tinyModel(bench);
}

/** Adam over 20 tensors of 50 elements: launches alone, one per tensor. */
async function tinyModel(bench: Bench): Promise<void> {
  const trace = new Trace({ kind: "map", rank: 1 });
  const g = trace.input("float32") as Value;
  const [m, v, p] = [trace.update("float32"), trace.update("float32"), trace.update("float32")];
  const [size, beta1, beta2, eps] = [0, 1, 2, 3].map((slot) => trace.hyper(slot)) as [Value, Value, Value, Value];
  const mean = lerp(m.value as Value, g, beta1.complement());
  const square = (v.value as Value).mul(beta2).add(g.square().mul(beta2.complement()));
  trace.store(p.binding, (p.value as Value).sub(mean.div(square.sqrt().add(eps)).mul(size)));
  trace.store(m.binding, mean);
  trace.store(v.binding, square);
  const built = buildMap(trace);
  const kernel = bench.backend.compile(built.program);
  const uniforms = built.uniforms([1e-3, 0.9, 0.999, 1e-8]);
  const last = bench.random(50);
  const tensors = Array.from({ length: 20 }, (_, i) =>
    [0, 1, 2, 3].map((k) => (i === 19 && k === 3 ? last : bench.random(50))),
  );
  const launches = tensors.map((buffers) => ({
    kernel,
    args: buffers.map((buffer) => bench.arg(buffer)),
    shape: [50],
    uniforms,
    label: "adam",
  }));
  const step = () => {
    for (const launch of launches) bench.backend.launch(launch);
  };
  await bench.run("adam, 20 tensors of 50", step, last);
  bench.free(...tensors.flat());
}
