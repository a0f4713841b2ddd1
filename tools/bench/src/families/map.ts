import { buildMap, lerp, Trace, type Value } from "@descent/backend";
import { type Bench, giga } from "../bench.ts";

const length = 1_000_000;

/** Element-wise programs over a million elements: bytes read and written per second. */
export async function map(bench: Bench): Promise<void> {
  await flat(bench, "copy", 1, ([x]) => x);
  await flat(bench, "add", 2, ([a, b]) => a.add(b));
  await flat(bench, "mul, add, max", 3, ([a, b, c]) => a.mul(b).add(c).maximum(0));
  for (const op of ["sqrt", "exp", "log", "tanh", "erf", "sin"] as const) await flat(bench, op, 1, ([x]) => x[op]());
  await strided(bench, "add, transposed", [1, 1000]);
  await strided(bench, "add, a row to every row", [0, 1]);
  await strided(bench, "add, a column to every column", [1, 0]);
  await adam(bench);
}

type Inputs = [Value, Value, Value];

async function flat(bench: Bench, name: string, inputs: number, body: (x: Inputs) => Value): Promise<void> {
  const trace = new Trace({ kind: "map", rank: 1 });
  const values = Array.from({ length: inputs }, () => trace.input("float32") as Value);
  trace.output("float32", "flat", body(values as Inputs));
  const kernel = bench.backend.compile(buildMap(trace).program);
  const buffers = Array.from({ length: inputs + 1 }, () => bench.random(length));
  const args = buffers.map((buffer) => bench.arg(buffer));
  const launch = { kernel, args, shape: [length], uniforms: [], label: name };
  await bench.launch(name, launch, buffers.length * 4 * length * giga, "GB/s");
  bench.free(...buffers);
}

async function strided(bench: Bench, name: string, strides: readonly number[]): Promise<void> {
  const trace = new Trace({ kind: "map", rank: 2 });
  const [a, b] = [trace.input("float32", "strided") as Value, trace.input("float32") as Value];
  trace.output("float32", "flat", a.add(b));
  const kernel = bench.backend.compile(buildMap(trace).program);
  const buffers = [bench.random(length), bench.random(length), bench.random(length)] as const;
  const args = buffers.map((buffer, k) => bench.arg(buffer, k === 0 ? strides : []));
  await bench.launch(
    name,
    { kernel, args, shape: [1000, 1000], uniforms: [], label: name },
    12 * length * giga,
    "GB/s",
  );
  bench.free(...buffers);
}

/** A whole Adam step in one program: 28 bytes per element. */
async function adam(bench: Bench): Promise<void> {
  const trace = new Trace({ kind: "map", rank: 1 });
  const g = trace.input("float32") as Value;
  const [m, v, p] = [trace.update("float32"), trace.update("float32"), trace.update("float32")];
  const [lr, beta1, beta2, eps] = [0, 1, 2, 3].map((slot) => trace.hyper(slot)) as [Value, Value, Value, Value];
  const mean = lerp(m.value as Value, g, beta1.complement());
  const square = (v.value as Value).mul(beta2).add(g.square().mul(beta2.complement()));
  trace.store(p.binding, (p.value as Value).sub(mean.div(square.sqrt().add(eps)).mul(lr)));
  trace.store(m.binding, mean);
  trace.store(v.binding, square);
  const { program, uniforms } = buildMap(trace);
  const kernel = bench.backend.compile(program);
  const buffers = Array.from({ length: 4 }, () => bench.random(length));
  const args = buffers.map((buffer) => bench.arg(buffer));
  const launch = { kernel, args, shape: [length], uniforms: uniforms([1e-3, 0.9, 0.999, 1e-8]), label: "adam" };
  await bench.launch("adam", launch, 28 * length * giga, "GB/s");
  bench.free(...buffers);
}
