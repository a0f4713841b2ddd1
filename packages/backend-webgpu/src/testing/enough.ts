import { WebgpuBackend } from "../backend.ts";
import type { EngineOptions } from "../gpu/engine.ts";
import { open } from "../gpu/open.ts";
import { Choices } from "../tuning/choices.ts";

const withOptions = async (options: Partial<EngineOptions>): Promise<WebgpuBackend> =>
  new WebgpuBackend(await open({}), { poolBytes: 2 ** 28, deterministic: false, ...options }, null);

/** A backend that takes so many workgroups for enough: the fewer, the larger is what each of them does. */
export const withEnough = (enoughGroups: number, choices = new Choices(false)): Promise<WebgpuBackend> =>
  withOptions({ enoughGroups, choices });

/** A backend whose blocks up to so many bytes share GPU buffers. */
export const withPages = (pagedBytes: number): Promise<WebgpuBackend> => withOptions({ pagedBytes });
