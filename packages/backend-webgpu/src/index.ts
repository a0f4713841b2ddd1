export type { WebgpuBackend } from "./backend.ts";
export type { WebgpuMemory } from "./gpu/memory.ts";
export type { RecoverOptions, WebgpuOptions } from "./gpu/open.ts";
export type { ProfileEvent, ProfileResult } from "./gpu/profile.ts";
export type { Tuned, TuneOptions, TuneResult } from "./tuning/tune.ts";
export { webgpu } from "./webgpu.ts";
