import { type Backend, buildFold, type DType, Trace, type Value } from "@descent/backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebgpuBackend, WebgpuKernel } from "./backend.ts";
import { webgpu } from "./index.ts";
import { FoldEmitter } from "./kernels/fold-code.ts";
import { filled, launchOf } from "./testing/programs.ts";

// Rows that lie in whole vectors, which the conformance kit's odd lengths do not, with threads that talk in subgroups and without.

/** Small integers, so that sums are exact, with one largest element per row somewhere in the middle. */
function rowsOf(rows: number, width: number): Float32Array {
  const data = Float32Array.from({ length: rows * width }, (_, i) => ((i * 7) % 11) - 5);
  for (let row = 0; row < rows; row++) data[row * width + ((row * 37 + 3) % width)] = 9;
  return data;
}

const sum = (row: Float32Array) => row.reduce((total, x) => total + x, 0);

/** Sum, largest element and its place. */
function measures(dtype: DType = "float32") {
  const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
  const x = trace.input(dtype) as Value;
  trace.output("float32", "row", x.sum());
  trace.output("float32", "row", x.amax());
  trace.output("int64", "row", x.argmax());
  return buildFold(trace).program;
}

/** x · weight − (the row's sum of x), through strided operands. */
function centred(heavy: boolean, dtype: DType = "float32") {
  const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
  const x = trace.input(dtype, "strided") as Value;
  const weight = trace.input("float32", "strided") as Value;
  let y = x;
  // Nothing but work: enough of it that elements are no longer written out four times.
  if (heavy) for (let i = 1; i <= 6; i++) y = y.add(i).mul(1).sub(i);
  trace.output(dtype, "flat", y.mul(weight).sub(y.sum()));
  return buildFold(trace).program;
}

async function measured(backend: Backend, rows: number, width: number, kernel = backend.compile(measures())) {
  const source = filled(backend, rowsOf(rows, width));
  const outs = (["float32", "float32", "int64"] as const).map((dtype) => backend.alloc(dtype, rows));
  backend.launch(launchOf(kernel, [source, ...outs], [rows, width]));
  const found = await Promise.all(outs.map((out) => backend.read(out)));
  for (const buffer of [source, ...outs]) backend.free(buffer);
  return found.map((one) => [...one].map(Number));
}

function expected(rows: number, width: number): number[][] {
  const data = rowsOf(rows, width);
  const all = Array.from({ length: rows }, (_, row) => row);
  return [
    all.map((row) => sum(data.subarray(row * width, (row + 1) * width))),
    all.map(() => 9),
    all.map((row) => (row * 37 + 3) % width),
  ];
}

const sizes = [
  ["one vector", 5, 4],
  ["a thread a row", 5, 8],
  ["8 threads a row, half of them idle", 3, 16],
  ["32 threads a row", 9, 128],
  ["256 threads a row, in whole vectors and not all of them", 3, 1004],
  ["256 threads a row, several vectors each", 2, 5000],
  ["a long row in parts", 1, 300_004],
] as const;

describe.each([
  ["in subgroups", undefined],
  ["without subgroups", ["shader-f16"]],
])("folds %s", (_name, features) => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await webgpu({ ...(features && { features }), tuningCache: false });
    expect(backend.device.features.has("subgroups")).toBe(features === undefined);
  });
  afterAll(() => backend.close());

  test.each(sizes)("%s", async (_name, rows, width) => {
    expect(await measured(backend, rows, width)).toEqual(expected(rows, width));
  });

  test.each([
    ["light", 3, 64, false],
    ["light, long", 2, 2052, false],
    ["heavy", 3, 64, true],
    ["heavy, long", 2, 2052, true],
  ] as const)("%s bodies that store every element", async (_name, rows, width, heavy) => {
    const data = rowsOf(rows, width + 4);
    const weights = Float32Array.from({ length: width }, (_, k) => (k % 3) + 1);
    const buffers = [filled(backend, data), filled(backend, weights), backend.alloc("float32", rows * width)];
    // Rows of a wider matrix, from its fifth column on, so that they are strided.
    const strides = [[width + 4, 1], [0, 1], []];
    const kernel = backend.compile(centred(heavy));
    backend.launch(launchOf(kernel, buffers, [rows, width], { strides, offsets: [4, 0, 0] }));
    const results = Array.from({ length: rows }, (_, row) => {
      const own = data.subarray(row * (width + 4) + 4, (row + 1) * (width + 4));
      const total = sum(own);
      return [...own].map((x, k) => x * weights[k]! - total);
    });
    expect([...(await backend.read(buffers[2]!))]).toEqual(results.flat());
    for (const buffer of buffers) backend.free(buffer);
  });
});

test("rows within one subgroup need no memory to come together", async () => {
  const backend = await webgpu({ tuningCache: false });
  const program = measures();
  const [rows, width] = [67, 24];
  const lanes = backend.device.adapterInfo.subgroupMinSize;
  const form = { lanes, columnar: false, vectors: 2, aliases: null, pass: null };
  const kernel: WebgpuKernel = {
    program,
    prepare(launch, recorder) {
      const emitter = new FoldEmitter(program, recorder.features, form);
      const shader = emitter.emit();
      expect(shader.code).toContain("subgroupShuffleXor");
      expect(shader.code).not.toContain("var<workgroup>");
      const groups = Math.ceil((rows * lanes) / 256);
      recorder.run(shader, emitter.frame, launch, recorder.blocks(launch, null), groups, [rows, width, 1, width, 1]);
    },
  };
  expect(await measured(backend, rows, width, kernel)).toEqual(expected(rows, width));
  await backend.close();
});

test("every form is valid, in 16 bits and with large subgroups too", async () => {
  const backend = await webgpu({ dawn: ["backend=null"], tuningCache: false });
  const complaints: string[] = [];
  for (const program of [measures("float16"), centred(false, "float16"), centred(true, "float16")])
    for (const subgroups of [0, 4, 32])
      for (const lanes of [1, 8, 32, 256])
        for (const vectors of [0, 1, 4])
          for (const pass of [null, 0]) {
            const form = { lanes, columnar: false, vectors, aliases: null, pass };
            const { code } = new FoldEmitter(program, { f16: true, subgroups }, form).emit();
            const { messages } = await backend.device.createShaderModule({ code }).getCompilationInfo();
            for (const { message } of messages) complaints.push(`${JSON.stringify(form)}, ${subgroups}: ${message}`);
          }
  expect(complaints).toEqual([]);
  await backend.close();
});
