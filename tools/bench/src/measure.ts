import type { Prepared } from "./task.ts";

/** What one call takes, in seconds of wall time. */
export interface Timing {
  readonly median: number;
  readonly best: number;
}

const samples = 15;
const sampleSeconds = 0.02;
/** Engines swap in their best code only after a while. */
const warmUpSeconds = 0.2;
/** Patience has an end: seconds for all samples of one subject, of which there is one at least. */
const mostSeconds = 0.75;
const samplesOf = (seconds: number): number =>
  Math.max(1, Math.min(samples, Math.floor(mostSeconds / Math.max(seconds, 1e-9))));

const now = (): number => performance.now() / 1000;

interface Subject {
  readonly prepared: Prepared;
  calls: number;
  readonly times: number[];
}

async function sample({ prepared, calls }: Subject): Promise<number> {
  const start = now();
  for (let i = 0; i < calls; i++) prepared.run();
  await prepared.settle?.();
  return now() - start;
}

async function warmUp(subject: Subject): Promise<void> {
  for (const start = now(); now() - start < warmUpSeconds; ) {
    const took = await sample(subject);
    subject.calls = Math.max(1, Math.ceil(subject.calls * Math.min(10, sampleSeconds / Math.max(took, 1e-6))));
  }
}

/**
 * Times all of `prepared` in turns, so that a machine that slows down slows all of them down. The best sample is what the code can
 * do, the median what one gets.
 */
export async function measure(prepared: readonly Prepared[]): Promise<Timing[]> {
  const subjects = prepared.map((one): Subject => ({ prepared: one, calls: 1, times: [] }));
  for (const subject of subjects) await warmUp(subject);
  for (let round = 0; round < samples; round++) {
    for (const subject of subjects) {
      if (round < samplesOf((subject.times[0] ?? 0) * subject.calls))
        subject.times.push((await sample(subject)) / subject.calls);
    }
  }
  return subjects.map(({ times }) => {
    times.sort((a, b) => a - b);
    return { median: times[times.length >> 1] as number, best: times[0] as number };
  });
}
