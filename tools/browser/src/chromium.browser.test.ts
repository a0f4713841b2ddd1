import { expect, test } from "vitest";

// What the packages' browser tests build on. When one of these fails, look here before looking there.

test("the page is cross-origin isolated, so memory can be shared", () => {
  expect(crossOriginIsolated).toBe(true);
  expect(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer).toBeInstanceOf(SharedArrayBuffer);
});

test("WebGPU has an adapter", async () => {
  // The types of WebGPU are not among TypeScript's own, and one call is no reason to install them.
  const { gpu } = navigator as unknown as { gpu?: { requestAdapter(): Promise<object | null> } };
  expect(await gpu?.requestAdapter()).toBeTruthy();
});
