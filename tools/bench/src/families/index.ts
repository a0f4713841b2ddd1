import type { Family } from "../task.ts";
import { contract } from "./contract.ts";
import { embeddings } from "./embedding.ts";
import { fold } from "./fold.ts";
import { gpu, gpuSmall } from "./gpu.ts";
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
};
