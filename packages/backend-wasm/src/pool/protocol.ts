/**
 * Shared words between the calling thread and its workers, as byte offsets into the control block. Words that different
 * threads write lie on cache lines of their own.
 */
export const control = {
  /** Counts the lists handed over; workers wait on it. −1: end. */
  generation: 0,
  /** How many functions the directory holds. */
  functions: 64,
  /** Set by a worker that failed. */
  failed: 128,
  /** How many workers sleep. */
  asleep: 192,
  /** Address and length of every function's module, 8 bytes each. */
  directory: 256,
} as const;

export const mostFunctions = 4096;
export const controlBytes = control.directory + 8 * mostFunctions;

/** A list of commands in shared memory. Lists rotate through a few areas, so that a worker may leave one late. */
export const list = {
  /** The generation this list belongs to while it is open. */
  open: 0,
  /** Workers inside. */
  active: 64,
  phases: 128,
  /** Address of its first phase. */
  first: 132,
  bytes: 192,
} as const;

/** Commands that may run at the same time. */
export const phase = {
  /** Next piece to take. */
  next: 0,
  pieces: 4,
  commands: 8,
  /** Address of a word that stops the list unless it is 0 when the phase is over; or 0. */
  check: 12,
  /** Pieces finished; waited on. */
  done: 64,
  bytes: 128,
} as const;

export const command = { slot: 0, params: 4, units: 8, grain: 12, first: 16, end: 20, bytes: 32 } as const;

export const areas = 4;
