import { isDescentError } from "@descent/backend";
import { expect, test, vi } from "vitest";
import { limitOf, open } from "./gpu/open.ts";
import { type WebgpuOptions, webgpu } from "./index.ts";

const failure = async (action: () => Promise<unknown>): Promise<string> => {
  try {
    await action();
  } catch (error) {
    if (isDescentError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing";
};

test.each<[WebgpuOptions]>([
  [{ poolBytes: Number.NaN }],
  [{ poolBytes: -1 }],
  [{ tuningCache: "" }],
  [{ tuningCache: true as unknown as string }],
  [{ recover: { interval: Number.NaN } }],
  [{ powerPreference: "fast" as GPUPowerPreference }],
  [{ adaptor: "x" } as WebgpuOptions],
  [{ device: {} as GPUDevice, recover: true }],
])("%j is refused", async (options) => {
  expect(await failure(() => webgpu(options))).toMatch(/^option: webgpu: /);
});

test("no adapter", async () => {
  expect(await failure(() => webgpu({ adapter: "none of this name" }))).toMatchInlineSnapshot(`
    "unsupported: webgpu: no adapter was found
      adapter         none of this name
      powerPreference high-performance
    Check the driver: in Node it is a Vulkan, Metal or D3D12 driver; in Chromium see chrome://gpu."
  `);
});

test("a page without a secure context", async () => {
  expect(await failure(() => open({}, { isSecureContext: false }))).toMatchInlineSnapshot(`
    "unsupported: webgpu: the page is not a secure context, and WebGPU exists only in one
    Serve it over https, or from localhost."
  `);
});

test("an engine without WebGPU", async () => {
  expect(await failure(() => open({}, { isSecureContext: true }))).toMatchInlineSnapshot(`
    "unsupported: webgpu: this engine has no WebGPU
    Use another backend, for example @descent/backend-wasm, or see https://caniuse.com/webgpu."
  `);
});

test("Node without the package", async () => {
  vi.doMock("webgpu", () => {
    throw new Error("Cannot find package 'webgpu'");
  });
  expect(await failure(() => open({}, { process: { versions: { node: "24" } } }))).toMatchInlineSnapshot(`
    "unsupported: webgpu: Node has no WebGPU of its own, and the package that brings it is not installed
      package webgpu
    Run: npm install webgpu"
  `);
  vi.doUnmock("webgpu");
});

test("an adapter whose limits are no numbers has those of the specification", () => {
  const limits = {
    maxBufferSize: Number.NaN,
    maxStorageBuffersPerShaderStage: undefined,
  } as unknown as GPUSupportedLimits;
  expect(limitOf(limits, "maxBufferSize")).toBe(2 ** 28);
  expect(limitOf(limits, "maxStorageBuffersPerShaderStage")).toBe(8);
});

test("an adapter that opens no device", async () => {
  const adapter = {
    features: new Set(),
    limits: {},
    info: { vendor: "somebody" },
    requestDevice: () => Promise.reject(new Error("it was used before")),
  } as unknown as GPUAdapter;
  expect(await failure(() => webgpu({ adapter }))).toMatchInlineSnapshot(`
    "unsupported: webgpu: the adapter opened no device
      adapter somebody
      reason  it was used before
    An adapter opens one device only: ask for it anew."
  `);
});

test("a device that exists already is used, and left open", async () => {
  const one = await webgpu();
  const two = await webgpu({ device: one.device });
  const buffer = two.alloc("float32", 2);
  two.write(buffer, Float32Array.of(3, 4));
  expect([...(await two.read(buffer))]).toEqual([3, 4]);
  await two.close();
  const again = one.alloc("float32", 1);
  one.write(again, Float32Array.of(5));
  expect([...(await one.read(again))]).toEqual([5]);
  await one.close();
});

test("float64 is refused with the dtypes that there are", async () => {
  const backend = await webgpu();
  expect(await failure(async () => backend.alloc("float64", 1))).toMatchInlineSnapshot(`
    "unsupported: alloc: this backend does not hold this dtype
      backend   webgpu
      dtype     float64
      supported [float32, float16, bfloat16, int32, int64, uint32, uint8, bool]"
  `);
  await backend.close();
});
