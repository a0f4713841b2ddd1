import { afterAll, expect } from "vitest";

/** What `memory()` reports, as far as leaks are concerned. */
interface Report {
  readonly bytes: number;
  readonly sites: readonly unknown[];
}

/** Collects garbage until finalizers have had their turn, or memory is down to `bytes`. */
async function settle(memory: () => Report, bytes: number): Promise<void> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (!collect) throw new Error("memory tests need node --expose-gc");
  // A finalizer may drop the last reference to something else, so one collection is not always enough.
  for (let round = 0; round < 20 && memory().bytes > bytes; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/**
 * Makes a test file fail at its end when memory of the backend in use has leaked: when something is still live that no variable of
 * the file can reach. `kept`: bytes that variables at the top of the file hold on purpose.
 *
 * @example
 * leavesNothing(memory);
 */
export function leavesNothing(memory: () => Report, kept: number | (() => number) = 0): void {
  afterAll(async () => {
    const bytes = typeof kept === "number" ? kept : kept();
    await settle(memory, bytes);
    const { bytes: left, sites } = memory();
    expect({ left, sites: left > bytes ? sites : [] }).toEqual({ left: bytes, sites: [] });
  });
}
