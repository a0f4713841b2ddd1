/** A candidate takes the place of the first one only if it needs so much less time. */
const margin = 0.03;
/** Who needs so much more than the best is not looked at again. */
const hopeless = 1.25;
const rounds = 3;

/**
 * The fastest of some candidates, the first of which is what one would take unmeasured. They are timed in turns, so that a clock
 * which speeds up or slows down treats them alike, and the least time of each counts: what disturbs only ever adds. Nothing begins
 * when nothing is `left` of the time there was; without a time for every candidate there is no best one: null.
 */
export async function fastest<T>(
  candidates: readonly T[],
  time: (candidate: T) => Promise<number>,
  left: () => number,
): Promise<{ best: T | null; times: Map<T, number> }> {
  const times = new Map<T, number>();
  const first = candidates[0] as T;
  let running = candidates;
  for (let round = 0; round < rounds && running.length > 1; round++) {
    for (const candidate of running) {
      if (left() <= 0) break;
      times.set(candidate, Math.min(times.get(candidate) ?? Number.POSITIVE_INFINITY, await time(candidate)));
    }
    const least = Math.min(...times.values());
    running = running.filter((one) => (times.get(one) ?? Number.POSITIVE_INFINITY) <= least * hopeless);
  }
  if (candidates.length > 1 && times.size < candidates.length) return { best: null, times };
  let best = first;
  let least = (times.get(first) ?? Number.POSITIVE_INFINITY) * (1 - margin);
  for (const [candidate, seconds] of times) if (seconds < least) [best, least] = [candidate, seconds];
  return { best, times };
}
