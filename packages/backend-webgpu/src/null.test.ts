import { isDescentError } from "@descent/backend";
import { conformance } from "@descent/backend/conformance";
import { expect, test, vi } from "vitest";
import { type WebgpuBackend, webgpu } from "./index.ts";
import { emitTiles } from "./kernels/contract-code.ts";
import type { Lie } from "./kernels/contract-load.ts";
import { rules, type Shape } from "./kernels/contract-plan.ts";
import { product } from "./testing/programs.ts";
import { catalogue } from "./tuning/candidates.ts";

// Dawn's null backend computes nothing, but checks every shader and every command, those with 16-bit floats too.
const create = () => webgpu({ dawn: ["backend=null"] });

/** The tests of the conformance kit, to be run by hand. */
function cases(made: () => Promise<WebgpuBackend>): { name: string; run: () => unknown }[] {
  const list: { name: string; run: () => unknown }[] = [];
  const it = (name: string, run: () => unknown) => list.push({ name, run });
  it.skip = () => {};
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  conformance({ create: made, test: { describe: (_name, body) => body(), it } });
  warn.mockRestore();
  return list;
}

test("every kernel that the conformance kit needs is valid, with and without an order of sums", {
  timeout: 60_000,
}, async () => {
  for (const deterministic of [false, true]) {
    const backends: WebgpuBackend[] = [];
    const list = cases(async () => {
      const made = await webgpu({ dawn: ["backend=null"], deterministic });
      backends.push(made);
      return made;
    });
    const refused: string[] = [];
    for (const { name, run } of list) {
      // An order of sums changes what is scattered, and nothing else.
      if (deterministic && !name.includes("scatter")) continue;
      try {
        await run();
      } catch (error) {
        // Results are wrong, since nothing is computed; what counts is what the device refuses.
        if (isDescentError(error) && error.code === "internal") refused.push(`${name}: ${error.message}`);
      }
    }
    expect(refused).toEqual([]);
    expect(list.length).toBeGreaterThan(1400);
    expect(backends[0]?.counts.compiled).toBeGreaterThan(deterministic ? 10 : 400);
    for (const backend of backends) await backend.close();
  }
});

const lies: readonly Lie[] = [
  { along: "inner", vector: true },
  { along: "outer", vector: true },
  { along: "inner", vector: false },
  { along: "outer", vector: false },
  { along: "any", vector: false },
];

test("every form of a product is valid, and every candidate of the tuner", { timeout: 60_000 }, async () => {
  const backend = await create();
  const { device } = backend;
  expect(device.features.has("shader-f16")).toBe(true);
  const known = [...catalogue(device.limits).values()].filter(({ fill }) => fill === 1).map(({ shape }) => shape);
  expect(known.length).toBeGreaterThan(80);
  const complaints: string[] = [];
  const features = { f16: true, subgroups: 0 };
  const checked = async (dtype: "float32" | "float16", shape: Shape, left: Lie, right: Lie, split: boolean) => {
    const form = { shape, left, right, aliases: null, vector: !split && left.vector, split };
    const [{ code, label }] = emitTiles(product(dtype), features, form);
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
    for (const { type, message } of messages) complaints.push(`${label}: ${type}: ${message}`);
  };
  for (const dtype of ["float32", "float16"] as const) {
    for (const { shape } of rules)
      for (const left of lies)
        for (const right of lies) for (const split of [false, true]) await checked(dtype, shape, left, right, split);
    for (const shape of known.filter(({ half }) => half === (dtype === "float16")))
      for (const lie of lies) await checked(dtype, shape, lie, lies[0]!, false);
  }
  expect(complaints).toEqual([]);
  await backend.close();
});
