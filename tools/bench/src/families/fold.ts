import { buildFold, Trace, type Value } from "@descent/backend";
import { type Bench, giga } from "../bench.ts";

interface Layout {
  readonly name: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly reduced: number;
}

const layouts: readonly Layout[] = [
  { name: "rows of 1000 x 1000", shape: [1000, 1000], strides: [1000, 1], reduced: 1 },
  { name: "columns of 1000 x 1000", shape: [1000, 1000], strides: [1, 1000], reduced: 1 },
  { name: "rows of 100000 x 10", shape: [100_000, 10], strides: [10, 1], reduced: 1 },
  { name: "everything", shape: [1_000_000], strides: [1], reduced: 1 },
];

/** What a row gives, or what each of its elements becomes. */
const perRow: Readonly<Record<string, (x: Value) => Value>> = {
  sum: (x) => x.sum(),
  max: (x) => x.amax(),
  argmax: (x) => x.argmax().cast("f32"),
  variance: (x) => x.sub(x.sum().mul(1e-3)).square().sum(),
};

/** Reductions of a million elements: bytes read (and, for softmax, written) per second. */
export async function fold(bench: Bench): Promise<void> {
  for (const layout of layouts) {
    for (const [name, body] of Object.entries(perRow)) await run(bench, `${name}, ${layout.name}`, layout, body, false);
    await run(bench, `softmax, ${layout.name}`, layout, softmax, true);
  }
}

const softmax = (x: Value): Value => {
  const e = x.sub(x.amax()).exp();
  return e.div(e.sum());
};

async function run(
  bench: Bench,
  name: string,
  layout: Layout,
  body: (x: Value) => Value,
  element: boolean,
): Promise<void> {
  const { shape, strides, reduced } = layout;
  const trace = new Trace({ kind: "fold", rank: shape.length, reduced });
  const value = body(trace.input("float32", "strided") as Value);
  trace.output("float32", element ? "strided" : "row", value);
  const kernel = bench.backend.compile(buildFold(trace).program);
  const length = 1_000_000;
  const [x, out] = [bench.random(length), bench.random(length)];
  const args = [bench.arg(x, strides), bench.arg(out, element ? strides : [])];
  await bench.launch(
    name,
    { kernel, args, shape, uniforms: [], label: name },
    (element ? 8 : 4) * length * giga,
    "GB/s",
  );
  bench.free(x, out);
}
