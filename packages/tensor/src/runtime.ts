import {
  type Arg,
  type Backend,
  Cache,
  DescentError,
  type HostArray,
  type Kernel,
  type Launch,
  type Program,
} from "@descent/backend";
import { Memory } from "./memory.ts";
import type { Storage } from "./storage.ts";
import { type HostPart, watcher } from "./watch.ts";

/** Hears of every launch: how `capture` records a step. */
export type LaunchListener = (launch: Launch) => void;

/** What Descent keeps beside a backend: its compiled kernels and its live memory. */
export class Runtime {
  readonly backend: Backend;
  readonly memory: Memory;
  listener: LaunchListener | null = null;
  readonly #kernels = new Cache<string, Kernel>(1000);
  /** The same kernels by program object: a hit costs no look at the long key. */
  readonly #known = new WeakMap<Program, Kernel>();

  constructor(backend: Backend) {
    this.backend = backend;
    this.memory = new Memory(backend);
  }

  /** The kernel of `program`, compiled once. */
  kernel(program: Program): Kernel {
    let kernel = this.#known.get(program);
    if (!kernel) {
      kernel = this.#kernels.get(program.key, () => this.backend.compile(program));
      this.#known.set(program, kernel);
    }
    return kernel;
  }

  /** Runs a kernel; an empty index space still runs, since a fold of nothing has a value. */
  launch(
    kernel: Kernel,
    args: readonly Arg[],
    shape: readonly number[],
    uniforms: readonly number[],
    label: string,
    host: HostPart | null = null,
  ): void {
    const launch = { kernel, args, shape, uniforms, label };
    this.backend.launch(launch);
    watcher?.launched(this, launch, host);
    if (this.listener) this.listener(launch);
  }

  /** Copies elements from the host into memory, from the first on. */
  write(storage: Storage, data: HostArray, site: string): void {
    this.backend.write(storage.buffer(site), data);
    watcher?.wrote(storage, data);
  }

  /** Runs a whole list in order, with one hand-over where the backend has it. */
  submit(launches: readonly Launch[]): void {
    if (watcher?.takes(this, launches)) return;
    const { backend, listener } = this;
    if (backend.submit) backend.submit(launches);
    else for (const launch of launches) backend.launch(launch);
    for (const launch of launches) {
      listener?.(launch);
      watcher?.launched(this, launch, null);
    }
  }
}

const runtimes = new WeakMap<Backend, Runtime>();
let current: Runtime | null = null;

/** The runtime of `backend`: one each. */
export function runtimeOf(backend: Backend): Runtime {
  let runtime = runtimes.get(backend);
  if (!runtime) {
    runtime = new Runtime(backend);
    runtimes.set(backend, runtime);
  }
  return runtime;
}

/** The runtime that new tensors live on. */
export function currentRuntime(operation: string): Runtime {
  if (current) return current;
  throw new DescentError(
    "device",
    operation,
    "no backend is in use",
    {},
    "Pick one first, for example: await use(cpu()).",
  );
}

/**
 * Makes `backend` the one that new tensors live on, and returns it. A tensor stays on the backend it was made on.
 *
 * @example
 * await use(cpu());
 */
export async function use(backend: Backend | Promise<Backend>): Promise<Backend> {
  const ready = await backend;
  if (typeof ready?.compile !== "function") {
    throw new DescentError(
      "argument",
      "use",
      "takes a backend",
      { got: typeof ready },
      "For example: await use(cpu()).",
    );
  }
  current = runtimeOf(ready);
  return ready;
}

/** As `use`, for a backend that is ready at once. */
export function useSync(backend: Backend): Backend {
  current = runtimeOf(backend);
  return backend;
}
