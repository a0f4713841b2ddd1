import type { WebgpuBackend } from "@descent/backend-webgpu";
import type { Family } from "../task.ts";
import { contract } from "./contract.ts";
import { embeddings } from "./embedding.ts";
import { fold } from "./fold.ts";
import { gpu, gpuSmall } from "./gpu.ts";
import { host } from "./host.ts";
import { map } from "./map.ts";
import { optimizer } from "./optimizer.ts";
import { scaling } from "./scaling.ts";
import { small } from "./small.ts";
import { training } from "./training.ts";

export const families: Readonly<Record<string, Family>> = {
  small,
  map,
  fold,
  embedding: embeddings,
  contract,
  optimizer,
  training,
  scaling,
  gpu,
  "gpu-small": gpuSmall,
  host,
};

/** Whether a device is the processor in disguise. */
export const isSoftware = (gpu: WebgpuBackend | null): boolean =>
  gpu !== null && /swiftshader|llvmpipe/i.test(gpu.adapter);

/** Whether a family is measured when nobody says which: GPUs have families of their own, small ones where they are software. */
export function isUsual(name: string, gpu: WebgpuBackend | null): boolean {
  if (!gpu) return !name.startsWith("gpu") && name !== "host";
  if (gpu.adapter.includes("null-backend")) return name === "host";
  return name === "training" || name === (isSoftware(gpu) ? "gpu-small" : "gpu");
}
