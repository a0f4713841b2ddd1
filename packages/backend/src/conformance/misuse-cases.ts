import type { Backend } from "../backend.ts";
import { buildMap } from "../build.ts";
import { dtypes } from "../dtype.ts";
import { Trace } from "../trace.ts";
import type { Value } from "../value.ts";
import type { Case } from "./case.ts";
import { assert, assertThrows, type Lab } from "./lab.ts";

/** out = −x. */
function negate(backend: Backend) {
  const trace = new Trace({ kind: "map", rank: 1 });
  trace.output("float32", "flat", (trace.input("float32") as Value).neg());
  return { program: buildMap(trace).program, backend };
}

const misuses: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  "a buffer freed twice": async ({ backend }) => {
    const buffer = backend.alloc("float32", 3);
    backend.free(buffer);
    await assertThrows(["freed"], () => backend.free(buffer));
  },
  "a freed buffer is written, read or launched": async ({ backend }) => {
    const [gone, out] = [backend.alloc("float32", 3), backend.alloc("float32", 3)];
    const kernel = backend.compile(negate(backend).program);
    backend.free(gone);
    await assertThrows(["freed"], () => backend.write(gone, new Float32Array(3)));
    await assertThrows(["freed"], () => backend.read(gone));
    if (backend.readSync) await assertThrows(["freed"], () => backend.readSync?.(gone));
    const args = [gone, out].map((buffer) => ({ buffer, offset: 0, strides: [] }));
    const launch = { kernel, args, shape: [3], uniforms: [], label: "negate" };
    await assertThrows(["freed"], () => backend.launch(launch));
    if (backend.submit) await assertThrows(["freed"], () => backend.submit?.([launch]));
    // Whoever has the memory now is not the one that was freed.
    const next = backend.alloc("float32", 3);
    await assertThrows(["freed"], () => backend.read(gone));
    for (const buffer of [out, next]) backend.free(buffer);
  },
  "lengths that are none": async ({ backend }) => {
    for (const length of [-1, 1.5, Number.NaN])
      await assertThrows(["argument"], () => backend.alloc("float32", length));
  },
  "more than the backend can hold": async ({ backend }) => {
    const { maxLength } = backend.limits;
    await assertThrows(["memory"], () => backend.alloc("float32", maxLength + 1));
    await assertThrows(["memory", "argument"], () => backend.alloc("float32", Number.POSITIVE_INFINITY));
  },
  "a dtype that the limits leave out, or nobody knows": async ({ backend }) => {
    await assertThrows(["dtype"], () => backend.alloc("float23" as "float32", 1));
    for (const dtype of dtypes)
      if (!backend.limits.dtypes.includes(dtype)) await assertThrows(["unsupported"], () => backend.alloc(dtype, 1));
  },
  "ranges that leave the buffer": async ({ backend }) => {
    const buffer = backend.alloc("float32", 4);
    await assertThrows(["argument"], () => backend.write(buffer, new Float32Array(5)));
    await assertThrows(["argument"], () => backend.write(buffer, new Float32Array(2), 3));
    await assertThrows(["argument"], () => backend.write(buffer, new Float32Array(2), -1));
    await assertThrows(["argument"], () => backend.read(buffer, 2, 3));
    await assertThrows(["argument"], () => backend.read(buffer, 5));
    await assertThrows(["argument"], () => backend.read(buffer, -1, 2));
    backend.free(buffer);
  },
  "an array of the wrong kind": async ({ backend }) => {
    const buffer = backend.alloc("float32", 4);
    await assertThrows(["dtype"], () => backend.write(buffer, new Int32Array(4)));
    backend.free(buffer);
  },
  "more bindings than the limits allow": async ({ backend }) => {
    const { maxBindings } = backend.limits;
    if (maxBindings > 4096) return;
    const trace = new Trace({ kind: "map", rank: 1 });
    for (let i = 0; i <= maxBindings; i++) trace.output("float32", "flat", trace.constant(i, "f32"));
    await assertThrows(["unsupported"], () => backend.compile(buildMap(trace).program));
  },
  "a closed backend": async (lab) => {
    const backend = await lab.create();
    const [a, b] = [backend.alloc("float32", 3), backend.alloc("float32", 3)];
    const kernel = backend.compile(negate(backend).program);
    await backend.close();
    await backend.close(); // a second time changes nothing
    await assertThrows(["closed"], () => backend.alloc("float32", 1));
    await assertThrows(["closed"], () => backend.write(a, new Float32Array(3)));
    await assertThrows(["closed"], () => backend.read(a));
    await assertThrows(["closed"], () => backend.free(a));
    await assertThrows(["closed"], () => backend.compile(kernel.program));
    const args = [a, b].map((buffer) => ({ buffer, offset: 0, strides: [] }));
    await assertThrows(["closed"], () => backend.launch({ kernel, args, shape: [3], uniforms: [], label: "negate" }));
  },
  "limits say something": async ({ backend }) => {
    const { limits } = backend;
    assert(backend.name.length > 0, "the backend has no name");
    assert(limits.dtypes.includes("float32") && limits.dtypes.includes("int32"), "float32 and int32 are missing");
    assert(
      limits.dtypes.every((dtype) => dtypes.includes(dtype)),
      "unknown dtypes",
    );
    assert(limits.maxLength >= 2 ** 20 && limits.maxBindings >= 8, "the limits are too low to train anything");
  },
};

export const misuseCaseList: readonly Case[] = Object.entries(misuses).map(([name, run]) => ({ name, run }));
