import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Timing } from "../measure.ts";
import type { Task } from "../task.ts";

const script = fileURLToPath(new URL("measure-torch.py", import.meta.url));

/** The Python to use: $PYTHON, else python3. */
export const python = process.env.PYTHON ?? "python3";

/** The version of PyTorch there is, or null. */
export function torchVersion(): string | null {
  const { status, stdout } = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Times the tasks that have a PyTorch form; with `gpu` on CUDA, where there is one. */
export function timeTorch(tasks: readonly Task[], threads: number, gpu: boolean): (Timing | null)[] {
  const request = {
    threads,
    gpu,
    tasks: tasks.map(({ torch }) => torch ?? null),
  };
  if (!request.tasks.some(Boolean)) return tasks.map(() => null);
  const { status, stdout, stderr } = spawnSync(python, [script], { input: JSON.stringify(request), encoding: "utf8" });
  if (status !== 0) throw new Error(`PyTorch failed:\n${stderr}`);
  const { timings } = JSON.parse(stdout) as { timings: (readonly [number, number] | null)[] };
  return timings.map((timing) => timing && { median: timing[0], best: timing[1] });
}
