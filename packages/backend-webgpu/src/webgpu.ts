import { WebgpuBackend } from "./backend.ts";
import { open, type WebgpuOptions } from "./gpu/open.ts";
import { Choices } from "./tuning/choices.ts";

/**
 * Opens a GPU: the browser's own WebGPU, or Dawn in Node (through the optional package `webgpu`). Nothing is required of the
 * adapter: 16-bit storage and timestamps are used where it has them. Launches are queued and handed over together by
 * the next read; there are no synchronous reads, so tensors are read with `await`.
 *
 * @example
 * await use(webgpu());
 * await use(webgpu({ powerPreference: "low-power", recover: { interval: 10_000 } }));
 *
 * @throws DescentError `unsupported` where there is no WebGPU or no adapter, with what to do about it; `option` for options that
 * do not fit. Another backend is used only if you ask: `use(firstAvailable(webgpu, wasm, cpu))`.
 */
export async function webgpu(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const { poolBytes = 2 ** 30, deterministic = false, recover = false } = options;
  const opened = await open(options);
  const choices = new Choices(options.tuningCache);
  if (choices.cache !== false) {
    const { recall } = await import("./tuning/cache.ts");
    await recall(opened.device, choices);
  }
  const engineOptions = { poolBytes, deterministic, choices };
  if (!recover) return new WebgpuBackend(opened, engineOptions, null);
  const { Recovery } = await import("./gpu/recovery.ts");
  return new WebgpuBackend(opened, engineOptions, (live) => new Recovery(recover === true ? {} : recover, live));
}
