import { peer } from "./install.ts";

/** What these benchmarks use of @tensorflow/tfjs-core; its types are not installed here. */
export interface TfTensor {
  readonly shape: number[];
  dispose(): void;
  dataSync(): Float32Array;
}

// biome-ignore lint/suspicious/noExplicitAny: a library without types here
export type TfModule = any;

/** TensorFlow.js on one of its backends. */
export async function tfjs(backend: "cpu" | "wasm"): Promise<TfModule> {
  const tf = (await peer("@tensorflow/tfjs")) as TfModule;
  const core = tf.default ?? tf;
  if (backend === "wasm") {
    const own = (await peer("@tensorflow/tfjs-backend-wasm")) as TfModule;
    const path = peer.file("@tensorflow/tfjs-backend-wasm", "wasm-out/");
    (own.setWasmPaths ?? own.default.setWasmPaths)(path);
  }
  await core.setBackend(backend);
  await core.ready();
  return core;
}
