import type { Request } from "../core/drive.ts";

/** A point along a search direction: step length, value there, gradient, and its product with the direction. */
export interface Point<G> {
  readonly t: number;
  readonly f: number;
  readonly g: G;
  readonly slope: number;
}

/** Minimum of the cubic through two points with their slopes, kept within bounds. */
function interpolate(a: Point<unknown>, b: Point<unknown>, bounds?: readonly [number, number]): number {
  const [least, most] = bounds ?? [Math.min(a.t, b.t), Math.max(a.t, b.t)];
  const [near, far] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = a.slope + b.slope - (3 * (a.f - b.f)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const d2 = Math.sqrt(square);
  const t = far.t - (far.t - near.t) * ((far.slope + d2 - d1) / (far.slope - near.slope + 2 * d2));
  return Math.min(Math.max(t, least), most);
}

export interface SearchOptions {
  /** Largest component of the direction. */
  readonly length: number;
  /** Evaluations beyond the first. */
  readonly budget: number;
}

const armijo = 1e-4;
const curvature = 0.9;
const least = 1e-9;

/**
 * Line search for the strong Wolfe conditions, from `start` (t = 0) with first trial `t`; as in torch.optim.LBFGS, which has it from
 * Schmidt's minFunc. Gives the best point found and the number of evaluations.
 */
export function* strongWolfe<G>(
  evaluate: (t: number) => Generator<Request, Point<G>, unknown>,
  start: Point<G>,
  t: number,
  { length, budget }: SearchOptions,
): Generator<Request, { point: Point<G>; evaluations: number }, unknown> {
  const tooHigh = ({ t, f }: Point<G>) => f > start.f + armijo * t * start.slope;
  const flat = ({ slope }: Point<G>) => Math.abs(slope) <= -curvature * start.slope;
  let now = yield* evaluate(t);
  let before = start;
  let evaluations = 1;
  let bracket: [Point<G>, Point<G>] | null = null;
  let iteration = 0;
  // Go further until a minimum must lie in between.
  for (; iteration < budget; iteration++) {
    if (tooHigh(now) || (iteration > 1 && now.f >= before.f)) bracket = [before, now];
    else if (flat(now)) return { point: now, evaluations };
    else if (now.slope >= 0) bracket = [before, now];
    if (bracket) break;
    const next = interpolate(before, now, [now.t + 0.01 * (now.t - before.t), now.t * 10]);
    before = now;
    now = yield* evaluate(next);
    evaluations++;
  }
  bracket ??= [start, now];
  // Narrow the bracket until a point fits.
  let low = bracket[0].f <= bracket[1].f ? 0 : 1;
  let stuck = false;
  for (let done = false; !done && iteration < budget; iteration++) {
    const [a, b] = [Math.min(bracket[0].t, bracket[1].t), Math.max(bracket[0].t, bracket[1].t)];
    if ((b - a) * length < least) break;
    let trial = interpolate(bracket[0], bracket[1]);
    const margin = 0.1 * (b - a);
    if (Math.min(b - trial, trial - a) < margin) {
      const move: boolean = stuck || trial >= b || trial <= a;
      if (move) trial = Math.abs(trial - b) < Math.abs(trial - a) ? b - margin : a + margin;
      stuck = !move;
    } else stuck = false;
    now = yield* evaluate(trial);
    evaluations++;
    const high = 1 - low;
    if (tooHigh(now) || now.f >= (bracket[low] as Point<G>).f) {
      bracket[high] = now;
      low = bracket[0].f <= bracket[1].f ? 0 : 1;
    } else {
      if (flat(now)) done = true;
      else if (now.slope * ((bracket[high] as Point<G>).t - (bracket[low] as Point<G>).t) >= 0)
        bracket[high] = bracket[low] as Point<G>;
      bracket[low] = now;
    }
  }
  return { point: bracket[low] as Point<G>, evaluations };
}
