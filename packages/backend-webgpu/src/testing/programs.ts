import {
  type Arg,
  type Backend,
  type Buffer,
  buildContract,
  buildMap,
  type ContractProgram,
  type HostArray,
  type Kernel,
  type Launch,
  Trace,
  type Value,
} from "@descent/backend";

/** out = x · 2 + h, in place or not. */
export function affine(backend: Backend): (source: Buffer, out: Buffer, h: number) => Launch {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output("float32", "flat", (trace.input("float32") as Value).mul(2).add(trace.hyper(0)));
  const { program, uniforms } = buildMap(trace);
  const kernel = backend.compile(program);
  return (source, out, h) =>
    launchOf(kernel, [source, out], [out.length], { uniforms: uniforms([h]), label: "affine" });
}

/** x += 1, in place. */
export function increment(backend: Backend): (x: Buffer) => Launch {
  const trace = new Trace({ kind: "map", rank: 1 });
  const { binding, value } = trace.update("float32");
  trace.store(binding, (value as Value).add(1));
  const kernel = backend.compile(buildMap(trace).program);
  return (x) => launchOf(kernel, [x], [x.length], { label: "increment" });
}

/** left · right with any layout, plus nothing. */
export function product(dtype: "float32" | "float16" = "float32"): ContractProgram {
  const trace = new Trace({ kind: "contract", rank: 2 });
  trace.bind(dtype, "strided", "read");
  trace.bind(dtype, "strided", "read");
  trace.output("float32", "flat", trace.accumulator("f32"));
  return buildContract(trace, { batch: 0, rows: 1, cols: 1, inner: 1 }).program;
}

export function launchOf(
  kernel: Kernel,
  buffers: readonly Buffer[],
  shape: readonly number[],
  rest: {
    uniforms?: readonly number[];
    label?: string;
    strides?: readonly (readonly number[])[];
    offsets?: readonly number[];
  } = {},
): Launch {
  const { uniforms = [], label = "test", strides = [], offsets = [] } = rest;
  const args: Arg[] = buffers.map((buffer, k) => ({ buffer, offset: offsets[k] ?? 0, strides: strides[k] ?? [] }));
  return { kernel, args, shape, uniforms, label };
}

/** A buffer that holds `data`. */
export function filled(backend: Backend, data: HostArray, dtype: Buffer["dtype"] = "float32"): Buffer {
  const buffer = backend.alloc(dtype, data.length);
  backend.write(buffer, data);
  return buffer;
}

/** A product of two matrices, launched once. */
export function multiply(backend: Backend, m: number, n: number, k: number, dtype: "float32" | "float16" = "float32") {
  const buffers = [m * k, k * n].map((length) => backend.alloc(dtype, length));
  buffers.push(backend.alloc("float32", m * n));
  const strides = [
    [k, 0, 1],
    [0, 1, n],
  ];
  backend.launch(launchOf(backend.compile(product(dtype)), buffers, [m, n, k], { strides }));
  for (const buffer of buffers) backend.free(buffer);
}
