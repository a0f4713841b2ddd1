/** What one call takes, in seconds of wall time. */
export interface Timing {
  readonly median: number;
  readonly best: number;
}

const samples = 15;
const sampleSeconds = 0.02;
/** Engines swap in their best code only after a while. */
const warmUpSeconds = 0.15;

const now = (): number => performance.now() / 1000;

/**
 * Times `run`; `settle` waits until all that was asked for has been done. Machines are noisy: the best sample is what the code
 * can do, the median what one gets.
 */
export async function measure(run: () => void, settle: () => Promise<unknown>): Promise<Timing> {
  let calls = 1;
  const sample = async (): Promise<number> => {
    const start = now();
    for (let i = 0; i < calls; i++) run();
    await settle();
    return now() - start;
  };
  for (const start = now(); now() - start < warmUpSeconds; ) {
    const took = await sample();
    calls = Math.max(1, Math.ceil(calls * Math.min(10, sampleSeconds / Math.max(took, 1e-6))));
  }
  const times: number[] = [];
  for (let i = 0; i < samples; i++) times.push((await sample()) / calls);
  times.sort((a, b) => a - b);
  return { median: times[samples >> 1] as number, best: times[0] as number };
}
