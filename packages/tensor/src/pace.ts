import type { Runtime } from "./runtime.ts";

/** Milliseconds after which a loop on a synchronous backend lets timers, input and signals through. */
const turn = 50;

/**
 * Keeps an awaiting loop in step with its backend. Where results arrive asynchronously, each call waits until the device has done
 * what was enqueued up to the call before: one iteration computes while the next is enqueued, and no more pile up. Where they
 * are there at once, the engine's other work gets a turn now and then.
 */
export class Pace {
  readonly #runtime: Runtime;
  #pending: Promise<unknown> | null = null;
  #last = performance.now();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async next(): Promise<void> {
    const { backend, memory } = this.#runtime;
    if (!backend.readSync) {
      const before = this.#pending;
      const fence = memory.alloc("float32", 1, "pace");
      const arrived = backend.read(fence.buffer("pace"), 0, 1);
      this.#pending = arrived.finally(() => memory.release(fence.block, "its loop"));
      await before;
    } else if (performance.now() - this.#last > turn) {
      await new Promise((resolve) => setTimeout(resolve));
      this.#last = performance.now();
    }
  }
}
