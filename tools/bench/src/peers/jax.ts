import { peer } from "./install.ts";

// biome-ignore lint/suspicious/noExplicitAny: a library without types here
export type JaxModule = any;

/** jax-js on its WebAssembly backend. */
export async function jax(): Promise<JaxModule> {
  const module = (await peer("@jax-js/jax")) as JaxModule;
  await module.init("wasm");
  module.defaultDevice("wasm");
  return module;
}
