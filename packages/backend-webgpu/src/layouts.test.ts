import { buildFold, Trace, type Value } from "@descent/backend";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebgpuBackend } from "./backend.ts";
import { withEnough } from "./testing/enough.ts";
import { affine, filled, launchOf } from "./testing/programs.ts";

// How work is laid over threads when there is much of it: one workgroup counts as enough, so that little is much.

let backend: WebgpuBackend;
beforeAll(async () => {
  backend = await withEnough(1);
});
afterAll(() => backend.close());

const digits = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7) % 11) - 5);

test.each([32_768, 32_769, 36_864, 40_959, 40_961, 50_000])("a map over %d elements", async (length) => {
  const data = digits(length);
  const [source, out] = [filled(backend, data), filled(backend, new Float32Array(length + 1).fill(-77))];
  const launch = affine(backend)(source, out, 1);
  backend.launch({ ...launch, shape: [length] });
  expect(await backend.read(out)).toEqual(Float32Array.from([...data.map((x) => x * 2 + 1), -77]));
  for (const buffer of [source, out]) backend.free(buffer);
});

test.each([
  ["8 threads a row", 1000, 64],
  ["8 threads a row, odd", 1001, 67],
  ["32 threads a row", 300, 1000],
  ["one long row in many parts", 1, 300_001],
  ["few long rows in parts", 2, 100_003],
])("sums with %s", async (_name, rows, width) => {
  const trace = new Trace({ kind: "fold", rank: 2, reduced: 1 });
  trace.output("float32", "row", (trace.input("float32") as Value).sum());
  const data = digits(rows * width);
  const [source, out] = [filled(backend, data), backend.alloc("float32", rows)];
  backend.launch(launchOf(backend.compile(buildFold(trace).program), [source, out], [rows, width]));
  const expected = Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += data[row * width + k] as number;
    return sum;
  });
  expect(await backend.read(out)).toEqual(expected);
  for (const buffer of [source, out]) backend.free(buffer);
});
