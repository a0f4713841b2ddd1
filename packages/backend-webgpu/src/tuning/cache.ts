import { nameOf } from "../kernels/contract-plan.ts";
import { catalogue } from "./candidates.ts";
import type { Choices } from "./choices.ts";
import { type Store, storeOf } from "./store.ts";

/** To be raised with every change of the kernels that makes earlier measurements worthless. */
const kernels = 1;

/** Stands for what the rules choose. */
const byRule = "rule";

interface Kept {
  readonly kernels: number;
  readonly adapter: string;
  readonly choices: Readonly<Record<string, string>>;
}

/** What a measurement depends on: the adapter, its driver, and whoever compiles the shaders. */
function identityOf({ adapterInfo }: GPUDevice): string {
  const info = (adapterInfo ?? {}) as Partial<GPUAdapterInfo> & Record<string, unknown>;
  const { process, navigator } = globalThis as {
    process?: { platform: string; arch: string; versions?: { node?: string } };
    navigator?: { userAgent?: string };
  };
  const platform = process?.versions?.node ? `${process.platform} ${process.arch}` : navigator?.userAgent;
  const known = [info.vendor, info.architecture, info.device, info.description, info.driver, platform];
  return known.filter((part) => part).join(", ");
}

let warned = false;

/** Choices that were not kept are measured again some day: that is worth a word, and no error. */
function warn(doing: string, place: string, cause: unknown): void {
  if (warned) return;
  warned = true;
  console.warn(
    `webgpu: choices of tune() could not be ${doing} (${place}: ${(cause as Error)?.message ?? cause}). ` +
      "Everything works without; webgpu({ tuningCache }) takes another place, or false.",
  );
}

/** What is kept for the device, by class; nothing where it is of another kind, broken or unreadable. */
async function kept(store: Store, adapter: string): Promise<Readonly<Record<string, string>>> {
  try {
    const found = (await store.read()) as Partial<Kept> | null | undefined;
    const fitting = found?.kernels === kernels && found.adapter === adapter;
    return fitting && typeof found.choices === "object" ? (found.choices ?? {}) : {};
  } catch (error) {
    // What is no JSON will be written anew; what cannot be read at all should be known.
    if (!(error instanceof SyntaxError)) warn("read", store.place, error);
    return {};
  }
}

const open = async (device: GPUDevice, where: string | undefined) => {
  const adapter = identityOf(device);
  return { adapter, store: await storeOf(`webgpu ${adapter}`, where) };
};

/** Fills in what earlier runs have chosen for this device. */
export async function recall(device: GPUDevice, choices: Choices): Promise<void> {
  const { cache } = choices;
  if (cache === false) return;
  const { adapter, store } = await open(device, cache);
  if (!store) return;
  const known = catalogue(device.limits);
  for (const [name, chosen] of Object.entries(await kept(store, adapter))) {
    const choice = chosen === byRule ? null : known.get(chosen);
    if (choice !== undefined) choices.chosen.set(name, choice);
  }
}

/** Keeps the choices for later runs, beside what others have kept meanwhile, and says where; null: nowhere. */
export async function remember(device: GPUDevice, choices: Choices): Promise<string | null> {
  const { cache, chosen } = choices;
  if (cache === false) return null;
  const { adapter, store } = await open(device, cache);
  if (!store) return null;
  const own = [...chosen].map(([name, choice]) => [name, choice ? nameOf(choice) : byRule]);
  const all = { ...(await kept(store, adapter)), ...Object.fromEntries(own) };
  try {
    await store.write({ kernels, adapter, choices: all } satisfies Kept);
    return store.place;
  } catch (error) {
    warn("kept", store.place, error);
    return null;
  }
}
