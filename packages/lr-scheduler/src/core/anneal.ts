/** From `from` at 0 to `to` at 1, exact at both ends. */
export const linear = (from: number, to: number, progress: number): number => from * (1 - progress) + to * progress;

/**
 * Half a cosine wave: 1 at 0, 0 at 1, 1 at 2. Equal to (1 + cos πp) / 2; this form is exact at 0 and 1 and keeps all
 * its digits near 1.
 */
export const halfCosine = (progress: number): number => Math.sin((Math.PI / 2) * (1 - progress)) ** 2;

/** From `from` at 0 to `to` at 1 along half a cosine wave, exact at both ends. */
export const cosine = (from: number, to: number, progress: number): number => linear(to, from, halfCosine(progress));

export const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** The curves that several schedulers offer by name. */
export const anneals = { cos: cosine, linear } as const;
export type AnnealStrategy = keyof typeof anneals;
