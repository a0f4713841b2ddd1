import type { Backend, Launch } from "./backend.ts";
import { decorate } from "./decorate.ts";
import type { Program } from "./program.ts";

/** One launch, as `traced` tells of it. */
export interface LaunchEvent {
  /** The operation on whose behalf it ran. */
  readonly label: string;
  readonly kind: Program["kind"];
  readonly shape: readonly number[];
  /** How long `launch` took. On backends that only queue a launch, that is the time to queue it. */
  readonly milliseconds: number;
  readonly program: Program;
}

/**
 * Tells `sink` of every launch. Lists given to `submit` run one by one, so that each is timed.
 *
 * @example
 * await use(traced(cpu(), ({ label, shape, milliseconds }) => console.log(label, shape, milliseconds)));
 */
export function traced(backend: Backend, sink: (event: LaunchEvent) => void): Backend {
  const launch = (one: Launch): void => {
    const start = performance.now();
    backend.launch(one);
    const milliseconds = performance.now() - start;
    const { program } = one.kernel;
    sink({ label: one.label, kind: program.kind, shape: [...one.shape], milliseconds, program });
  };
  return decorate(backend, { launch, ...(backend.submit && { submit: (launches) => launches.forEach(launch) }) });
}
