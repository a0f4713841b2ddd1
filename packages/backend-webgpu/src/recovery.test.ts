import { type Backend, isDescentError } from "@descent/backend";
import { expect, test } from "vitest";
import { webgpu } from "./index.ts";
import { filled, increment } from "./testing/programs.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
const failure = async (action: () => unknown): Promise<string> => {
  try {
    await action();
  } catch (error) {
    if (isDescentError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing";
};
const read = async (backend: Backend, buffer: ReturnType<typeof filled>) => [...(await backend.read(buffer))];

test("a lost device is told by every later use, with its reason", async () => {
  const backend = await webgpu();
  const add = increment(backend);
  const buffer = filled(backend, Float32Array.of(1));
  const launch = add(buffer);
  backend.launch(launch);
  const reading = backend.read(buffer);
  backend.device.destroy();
  expect(await failure(() => reading)).toMatchInlineSnapshot(`
    "device: webgpu: the GPU device was lost
      reason  destroyed
      message device was destroyed
    Open another one, or use webgpu({ recover: true }) to go on from a shadow."
  `);
  for (const use of [() => backend.launch(launch), () => backend.read(buffer), () => backend.alloc("float32", 1)])
    expect(await failure(use)).toMatch(/^device: webgpu: the GPU device was lost\n/);
  backend.free(buffer);
  await backend.close();
});

test("training goes on from the shadow on a new device", async () => {
  const told: string[] = [];
  const backend = await webgpu({ recover: { interval: 0, onRecover: ({ reason }) => told.push(reason) } });
  const add = increment(backend);
  const [parameter, state, data] = [Float32Array.of(0, 0), Float32Array.of(100), Float32Array.of(7, 8, 9)].map((x) =>
    filled(backend, x),
  ) as [ReturnType<typeof filled>, ReturnType<typeof filled>, ReturnType<typeof filled>];
  const half = backend.alloc("bfloat16", 3);
  backend.write(half, Uint16Array.of(0x3f80, 0x4000, 0x4040));
  const step = async () => {
    backend.launch(add(parameter));
    backend.launch(add(state));
    await backend.read(parameter, 0, 1);
  };
  for (let i = 0; i < 5; i++) await step();
  const lost = backend.device;
  lost.destroy();
  await pause();
  // The first step after the loss tells of it, once.
  expect(await failure(step)).toMatch(/^device: webgpu: the GPU device was lost and replaced/);
  expect(told).toEqual(["destroyed"]);
  expect(backend.device).not.toBe(lost);
  const [from] = await read(backend, parameter);
  // The shadow is taken with every read, after the launches before it.
  expect(from).toBe(5);
  expect(await read(backend, state)).toEqual([105]);
  expect(await read(backend, data)).toEqual([7, 8, 9]);
  expect(await read(backend, half)).toEqual([0x3f80, 0x4000, 0x4040]);
  for (let i = 0; i < 3; i++) await step();
  expect(await read(backend, parameter)).toEqual([8, 8]);
  // And once more.
  backend.device.destroy();
  expect(await failure(step)).toMatch(/lost and replaced/);
  await step();
  expect(told).toHaveLength(2);
  await backend.close();
});

test("between two shadows the older one serves", async () => {
  const backend = await webgpu({ recover: { interval: 1e9 } });
  const add = increment(backend);
  const parameter = filled(backend, Float32Array.of(40));
  for (let i = 0; i < 3; i++) backend.launch(add(parameter));
  expect(await read(backend, parameter)).toEqual([43]);
  backend.device.destroy();
  expect(await failure(() => read(backend, parameter))).toMatch(/Repeat the step/);
  expect(await read(backend, parameter)).toEqual([40]);
  await backend.close();
});
