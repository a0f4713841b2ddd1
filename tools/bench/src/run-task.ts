import type { Backend } from "@descent/backend";
import type { WebgpuBackend } from "@descent/backend-webgpu";
import { use, useSync } from "@descent/tensor";
import { measure } from "./measure.ts";
import type { JaxModule } from "./peers/jax.ts";
import type { TfModule } from "./peers/tfjs.ts";
import type { Finding, Peer } from "./report.ts";
import type { Prepared, Task } from "./task.ts";

/** What a task is measured beside; null: not there. */
export interface Beside {
  readonly tfjs: TfModule | null;
  readonly jax: JaxModule | null;
  /** Makes a backend of one thread, for how well threads scale. */
  readonly alone: (() => Backend | Promise<Backend>) | null;
}

/** Descent on a backend of its own with one thread. */
async function onOneThread(task: Task, backend: Backend, alone: NonNullable<Beside["alone"]>): Promise<Prepared> {
  const one = await alone();
  await use(one);
  const { run } = await task.descent();
  await use(backend);
  return {
    run() {
      useSync(one);
      run();
      useSync(backend);
    },
    dispose: () => one.close(),
  };
}

/** What one run hands to the device, with the read that waits for it. */
async function countQueued(backend: Backend, { run, settle }: Prepared): Promise<Finding["queued"]> {
  if (backend.name !== "webgpu" || !settle) return undefined;
  const gpu = backend as WebgpuBackend;
  await settle();
  const before = gpu.counts;
  run();
  await settle();
  return {
    dispatches: gpu.counts.dispatches - before.dispatches,
    submits: gpu.counts.submits - before.submits,
  };
}

/** Measures Descent and what it is compared with in JavaScript, in turns. A peer that fails is left out, and the reason noted. */
export async function runTask(task: Task, backend: Backend, beside: Beside, peers: boolean): Promise<Finding> {
  const descent = await task.descent();
  const subjects: [name: Peer | "descent", prepared: Prepared][] = [["descent", descent]];
  const missing: Partial<Record<Peer, string>> = peers ? { ...task.missing } : {};
  const add = async (name: Peer, make: () => Prepared | Promise<Prepared>): Promise<void> => {
    try {
      const prepared = await make();
      await prepared.run();
      await prepared.settle?.();
      subjects.push([name, prepared]);
    } catch (error) {
      missing[name] = `fails: ${String((error as Error)?.message ?? error).split("\n")[0]}`;
    }
  };
  const { tfjs, jax, alone } = beside;
  if (alone) await add("one", () => onOneThread(task, backend, alone));
  if (tfjs && task.tfjs) await add("tfjs", () => task.tfjs!(tfjs));
  if (jax && task.jax) await add("jax", () => task.jax!(jax));
  const timings = await measure(subjects.map(([, prepared]) => prepared));
  const calls = task.calls ?? 1;
  const [own, ...others] = timings.map(({ median, best }) => ({ median: median / calls, best: best / calls }));
  const queued = await countQueued(backend, descent);
  for (const [, prepared] of subjects) prepared.dispose?.();
  return {
    name: task.name,
    ...(task.flops && { flops: task.flops }),
    ...(task.bytes && { bytes: task.bytes }),
    ...(queued && { queued }),
    descent: own!,
    peers: Object.fromEntries(others.map((timing, i) => [subjects[i + 1]![0], timing])),
    missing,
  };
}
