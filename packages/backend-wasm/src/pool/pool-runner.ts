import type { Launch } from "@descent/backend";
import type { Compiled, Prepare } from "../kernels/entry.ts";
import type { Memory } from "../memory.ts";
import { Runner } from "../runner.ts";
import type { Phase, Pool } from "./pool.ts";
import { Script } from "./script.ts";

/** Nanoseconds of work below which waking a worker costs more than it saves. */
const worthSharing = 30_000;
/** A piece is long enough to be worth taking, and short enough that threads end together. */
const [shortest, longest] = [8_000, 100_000];

/** Units per piece, for work of `units` that cost so many nanoseconds each. */
export function grainOf(units: number, cost: number, grain: number, threads: number): number {
  const ideal = Math.min(longest, Math.max(shortest, (units * cost) / (8 * threads)));
  return Math.max(grain, Math.ceil(ideal / cost / grain) * grain);
}

/** Runs small launches on the calling thread and hands large ones, and lists, to the pool. */
export class PoolRunner extends Runner {
  override readonly threads: number;
  readonly #pool: Pool;
  readonly #script = new Script();
  #listing = false;
  /** Whether the last list was long enough to share: so may be the next. */
  #shared = false;

  constructor(memory: Memory, scratch: number, area: number, areaBytes: number, pool: Pool) {
    super(memory, scratch, area, areaBytes);
    this.#pool = pool;
    this.threads = pool.threads;
  }

  override add(compiled: Compiled, params: number, units: number, cost: number, grain = 1): void {
    const total = units * cost;
    const large = total >= worthSharing && units > grain;
    if (!(this.#listing || large) || !this.#pool.share(compiled)) {
      this.#flush();
      return super.add(compiled, params, units, cost, grain);
    }
    this.#script.add({ compiled, params, units, grain: grainOf(units, cost, grain, this.threads) }, total);
    if (!this.#listing) this.#flush();
  }

  override barrier(): void {
    this.#script.barrier();
  }

  override check(address: number, fail: (word: number) => Error): void {
    if (!this.#listing || this.#script.commands === 0) super.check(address, fail);
    else this.#script.check({ address, fail });
  }

  /** Runs launches in order, those that do not touch each other's results at the same time. */
  override submit(launches: readonly Launch[], prepare: (launch: Launch) => Prepare): void {
    this.#listing = true;
    // They wake while this thread writes the list.
    if (this.#shared) this.#pool.rouse();
    try {
      for (const launch of launches) {
        if (this.crowded) this.extend();
        this.#script.order(launch);
        prepare(launch)(launch, this);
      }
      this.#flush();
    } finally {
      this.#listing = false;
      this.#script.take();
      this.finish();
    }
  }

  #flush(): void {
    if (this.#script.commands === 0) return;
    const { phases, checks, cost } = this.#script.take();
    const worth = cost >= worthSharing;
    if (this.#listing) this.#shared = worth;
    if (worth) this.#pool.run(phases);
    else this.#alone(phases);
    for (const { address, fail } of checks) super.check(address, fail);
  }

  /** As the pool does, on this thread: for lists of little work. */
  #alone(phases: readonly Phase[]): void {
    for (const { commands, check } of phases) {
      for (const { compiled, params, units } of commands) compiled.run(params, 0, units, this.scratch);
      if (check !== 0 && this.memory.i32[check >>> 2] !== 0) return;
    }
  }
}
