import type { Clocks } from "../tuning/tune.ts";

/** Clocks by which candidates take so many milliseconds, and those that are not named ten. Launches run for real. */
export const fakeClocks = (milliseconds: Readonly<Record<string, number>>): Clocks => ({
  now: () => 0,
  stopwatch: async (launch, _count, wait, candidate) => {
    launch();
    await wait();
    return (milliseconds[candidate] ?? 10) / 1e3;
  },
});
