import { WebgpuBackend } from "../backend.ts";
import { open } from "../gpu/open.ts";
import { Choices } from "../tuning/choices.ts";

/** A backend that takes so many workgroups for enough: the fewer, the larger is what each of them does. */
export const withEnough = async (enoughGroups: number, choices = new Choices(false)): Promise<WebgpuBackend> =>
  new WebgpuBackend(await open({}), { poolBytes: 2 ** 28, deterministic: false, enoughGroups, choices }, null);
