import type { Prepared } from "../task.ts";
import { peer } from "./install.ts";

// biome-ignore lint/suspicious/noExplicitAny: a library without types here
export type JaxModule = any;

/** jax-js on its WebAssembly backend, or on the GPU: in Node through the same Dawn as Descent. */
export async function jax(device: "wasm" | "webgpu"): Promise<JaxModule> {
  if (device === "webgpu" && !("gpu" in navigator)) {
    const name = "webgpu"; // an optional package: no types where it is not installed
    const { create, globals } = (await import(name)) as { create: (flags: string[]) => GPU; globals: object };
    Object.assign(globalThis, globals);
    Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
  }
  const module = (await peer("@jax-js/jax")) as JaxModule;
  const found: string[] = await module.init(device);
  if (!found.includes(device)) throw new Error(`jax-js found no ${device}`);
  module.defaultDevice(device);
  return module;
}

/** What `f` gives is kept until it was waited for: what jax-js drops before that never runs. */
export function waitedFor(f: () => JaxModule, calls = 1): Required<Pick<Prepared, "run" | "settle">> {
  const pending = [f()];
  const run = () => {
    for (let i = 0; i < calls; i++) pending.push(f());
  };
  const settle = async () => {
    for (const result of pending.splice(0)) {
      await result.blockUntilReady();
      result.dispose();
    }
  };
  return { run, settle };
}
