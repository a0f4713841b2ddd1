import type { Backend, Buffer, Kernel, Launch } from "../backend.ts";
import { buildFold, buildMap } from "../build.ts";
import { Trace } from "../trace.ts";
import type { Value } from "../value.ts";
import type { Case } from "./case.ts";
import { assert, assertNumbers, assertThrows, type Lab } from "./lab.ts";

/** out = x · a + b, with a and b as uniforms. */
function affine(backend: Backend): {
  kernel: Kernel;
  launch: (x: Buffer, out: Buffer, a: number, b: number, length?: number) => Launch;
} {
  const trace = new Trace({ kind: "map", rank: 1 });
  const x = trace.input("float32") as Value;
  trace.output("float32", "flat", x.mul(trace.hyper(0)).add(trace.hyper(1)));
  const { program, uniforms } = buildMap(trace);
  const kernel = backend.compile(program);
  const arg = (buffer: Buffer) => ({ buffer, offset: 0, strides: [] });
  return {
    kernel,
    launch: (source, out, a, b, length = out.length) => ({
      kernel,
      args: [arg(source), arg(out)],
      shape: [length],
      uniforms: uniforms([a, b]),
      label: "conformance",
    }),
  };
}

const filled = (backend: Backend, numbers: readonly number[]): Buffer => {
  const buffer = backend.alloc("float32", numbers.length);
  backend.write(buffer, Float32Array.from(numbers));
  return buffer;
};
const read = async (backend: Backend, buffer: Buffer): Promise<number[]> => [...(await backend.read(buffer))];

const orderCases: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  "a read sees every earlier launch": async ({ backend }) => {
    const { launch } = affine(backend);
    const [a, b] = [filled(backend, [1, 2, 3]), filled(backend, [0, 0, 0])];
    for (let i = 0; i < 50; i++) {
      backend.launch(launch(a, b, 1, 1));
      backend.launch(launch(b, a, 1, 1));
    }
    assertNumbers(await read(backend, a), [101, 102, 103]);
    for (const buffer of [a, b]) backend.free(buffer);
  },
  "a read does not see later launches and writes": async ({ backend }) => {
    const { launch } = affine(backend);
    const [a, b] = [filled(backend, [1, 2, 3]), filled(backend, [0, 0, 0])];
    backend.launch(launch(a, b, 2, 0));
    const first = backend.read(b);
    backend.launch(launch(a, b, 3, 0));
    const second = backend.read(b);
    backend.write(b, Float32Array.of(7, 7, 7));
    assertNumbers([...(await first)], [2, 4, 6]);
    assertNumbers([...(await second)], [3, 6, 9]);
    assertNumbers(await read(backend, b), [7, 7, 7]);
    for (const buffer of [a, b]) backend.free(buffer);
  },
  "a write between two launches": async ({ backend }) => {
    const { launch } = affine(backend);
    const [a, b, c] = [filled(backend, [1]), filled(backend, [0]), filled(backend, [0])];
    backend.launch(launch(a, b, 1, 0));
    backend.write(a, Float32Array.of(5));
    backend.launch(launch(a, c, 1, 0));
    assertNumbers([...(await read(backend, b)), ...(await read(backend, c))], [1, 5]);
    for (const buffer of [a, b, c]) backend.free(buffer);
  },
  "a buffer freed after a launch served it": async ({ backend }) => {
    const { launch } = affine(backend);
    const out = filled(backend, new Array<number>(1000).fill(0));
    for (let i = 0; i < 20; i++) {
      const source = filled(backend, new Array<number>(1000).fill(i));
      backend.launch(launch(source, out, 1, 0.5));
      backend.free(source);
      // Whoever gets the same memory next must not disturb what was launched before.
      const next = filled(backend, new Array<number>(1000).fill(-1));
      backend.free(next);
      if (i % 7 === 0) assertNumbers((await read(backend, out)).slice(0, 2), [i + 0.5, i + 0.5]);
    }
    assertNumbers((await read(backend, out)).slice(998), [19.5, 19.5]);
    backend.free(out);
  },
  "a buffer freed while it is read": async ({ backend }) => {
    const buffer = filled(backend, [1, 2, 3]);
    const reading = backend.read(buffer);
    backend.free(buffer);
    const next = filled(backend, [9, 9, 9]);
    assertNumbers([...(await reading)], [1, 2, 3]);
    backend.free(next);
  },
  "one kernel with several shapes, uniforms and buffers": async ({ backend }) => {
    const { launch } = affine(backend);
    const source = filled(
      backend,
      Array.from({ length: 100 }, (_, i) => i),
    );
    const outs = [1, 7, 64, 100].map((length) => filled(backend, new Array<number>(length).fill(-1)));
    outs.forEach((out, k) => {
      backend.launch(launch(source, out, k, k));
    });
    for (const [k, out] of outs.entries()) {
      const got = await read(backend, out);
      assertNumbers(
        got,
        got.map((_, i) => i * k + k),
      );
    }
    for (const buffer of [source, ...outs]) backend.free(buffer);
  },
  "part of a buffer": async ({ backend }) => {
    const { launch } = affine(backend);
    const [a, b] = [filled(backend, [1, 2, 3, 4]), filled(backend, [0, 0, 0, 0])];
    backend.launch(launch(a, b, 1, 0, 2));
    assertNumbers(await read(backend, b), [1, 2, 0, 0]);
    for (const buffer of [a, b]) backend.free(buffer);
  },
  "a list of launches, where submit exists": async ({ backend }) => {
    const { launch } = affine(backend);
    const [a, b] = [filled(backend, [1, 2]), filled(backend, [0, 0])];
    const list = [launch(a, b, 2, 1), launch(b, a, 1, 1), launch(a, b, 10, 0)];
    if (backend.submit) {
      backend.submit(list);
      backend.submit([]);
    } else for (const one of list) backend.launch(one);
    assertNumbers([...(await read(backend, a)), ...(await read(backend, b))], [4, 6, 40, 60]);
    for (const buffer of [a, b]) backend.free(buffer);
  },
  "readSync, where it exists, sees what read sees": async ({ backend }) => {
    const { launch } = affine(backend);
    const [a, b] = [filled(backend, [1, 2]), filled(backend, [0, 0])];
    backend.launch(launch(a, b, 3, 0));
    if (backend.readSync) assertNumbers([...backend.readSync(b)], [3, 6]);
    assertNumbers(await read(backend, b), [3, 6]);
    for (const buffer of [a, b]) backend.free(buffer);
  },
  "many buffers, allocated and freed in turn": async ({ backend }) => {
    const { launch } = affine(backend);
    const held: { buffer: Buffer; value: number }[] = [];
    for (let i = 0; i < 300; i++) {
      const source = filled(backend, new Array<number>(1 + (i % 37)).fill(i));
      const buffer = backend.alloc("float32", source.length);
      backend.launch(launch(source, buffer, 1, 0));
      backend.free(source);
      held.push({ buffer, value: i });
      if (i % 3 === 0) backend.free((held.shift() as { buffer: Buffer }).buffer);
    }
    for (const { buffer, value } of held) {
      assert(
        (await read(backend, buffer)).every((x) => x === value),
        `the buffer of ${value} was disturbed`,
      );
      backend.free(buffer);
    }
  },
  "two backends at once": async (lab) => {
    const other = await lab.create();
    const [one, two] = [affine(lab.backend), affine(other)];
    const [a, b] = [filled(lab.backend, [1, 2]), filled(other, [3, 4])];
    for (let i = 0; i < 3; i++) {
      lab.backend.launch({ ...one.launch(a, a, 2, 0), args: inPlace(a) });
      other.launch({ ...two.launch(b, b, 3, 0), args: inPlace(b) });
    }
    assertNumbers(await read(lab.backend, a), [8, 16]);
    assertNumbers(await read(other, b), [81, 108]);
    await assertThrows(["device"], () => lab.backend.launch(one.launch(b, a, 1, 0)));
    await assertThrows(["device"], () => lab.backend.read(b));
    lab.backend.free(a);
    await other.close();
    const again = filled(lab.backend, [1]);
    assertNumbers(await read(lab.backend, again), [1]);
    lab.backend.free(again);
  },
  "a fold of nothing": async ({ backend }) => {
    const trace = new Trace({ kind: "fold", rank: 1, reduced: 1 });
    trace.output("float32", "row", (trace.input("float32") as Value).sum());
    const [empty, out] = [backend.alloc("float32", 0), filled(backend, [5])];
    const args = [empty, out].map((buffer) => ({ buffer, offset: 0, strides: [] }));
    backend.launch({ kernel: backend.compile(buildFold(trace).program), args, shape: [0], uniforms: [], label: "sum" });
    assertNumbers(await read(backend, out), [0]);
    for (const buffer of [empty, out]) backend.free(buffer);
  },
};

/** Flat in-place use of one buffer through two bindings is for callers to avoid; here it is the same element each time. */
const inPlace = (buffer: Buffer) => [buffer, buffer].map((own) => ({ buffer: own, offset: 0, strides: [] }));

export const orderCaseList: readonly Case[] = Object.entries(orderCases).map(([name, run]) => ({ name, run }));
