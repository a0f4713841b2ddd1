import { workerSource } from "./worker-source.ts";

/** What is needed of a worker, in Node and in browsers. */
export interface Spawned {
  stop(): void;
}

type NodeWorkers = typeof import("node:worker_threads");
type NodeSystem = typeof import("node:os");

/** Node's own modules, without an import that bundlers for browsers would stumble over. */
function builtin<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.(name) as T | undefined;
}

/** Cores this process may use. */
export const cores = (): number =>
  builtin<NodeSystem>("node:os")?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;

/** Why workers cannot share memory with this thread; empty where they can. */
export function noThreads(): string {
  if (typeof SharedArrayBuffer === "undefined" || globalThis.crossOriginIsolated === false)
    return "the page is not cross-origin isolated";
  if (builtin("node:worker_threads") || typeof Worker === "function") return "";
  return "there are no workers here";
}

/** Whether this is a page's main thread, which draws and answers between turns of its event loop. */
export const isPage = (): boolean => typeof document === "object" && !builtin("node:worker_threads");

/** Whether this thread may sleep in `Atomics.wait`; a page's main thread may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts a worker that does not keep the process alive. `failed` hears of its end, unless `stop` caused it. */
export function spawn(data: object, failed: (cause: unknown) => void): Spawned {
  let stopped = false;
  const report = (cause: unknown) => {
    if (!stopped) failed(cause);
  };
  const node = builtin<NodeWorkers>("node:worker_threads");
  if (node) {
    const worker = new node.Worker(workerSource, { eval: true, workerData: data, execArgv: [], name: "descent" });
    worker.on("error", report);
    worker.on("exit", report);
    worker.unref();
    return {
      stop() {
        stopped = true;
        void worker.terminate();
      },
    };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "descent" });
  worker.onerror = (event) => report(event.message);
  worker.postMessage(data);
  // The worker has fetched its source by the time it can answer; keeping the URL a while costs nothing.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return {
    stop() {
      stopped = true;
      worker.terminate();
    },
  };
}
