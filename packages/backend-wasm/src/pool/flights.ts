import type { Memory } from "../memory.ts";
import { nextTurn, untilChanged } from "./event-loop.ts";
import type { Pool } from "./pool.ts";
import type { Batch } from "./script.ts";

/** Milliseconds that one stretch of work on a thread with an event loop may take: half a frame at 60 Hz. */
export const frameBudget = 8;

/** A batch on its way. */
export interface Flight extends Batch {
  /** Whether workers run it; else this thread does, a slice at a time. */
  readonly shared: boolean;
  /** Where its parameters lie. */
  readonly area: number;
  readonly temporaries: readonly number[];
  /** Memory to give back, and reads to serve, when it is done. */
  readonly freed: number[];
  readonly reads: ((error: unknown) => void)[];
  /** Address of its list once workers have it. */
  list: number;
  /** How far this thread has come. */
  readonly place: { phase: number; command: number; unit: number };
}

/** Batches that wait or run, oldest first; only the first has been started. */
export class Flights {
  readonly #memory: Memory;
  readonly #scratch: number;
  readonly #pool: Pool | undefined;
  /** Hears of every batch that is done, or that failed. */
  readonly #landed: (flight: Flight, error: unknown) => void;
  readonly #flights: Flight[] = [];
  #flying = false;

  constructor(
    memory: Memory,
    scratch: number,
    pool: Pool | undefined,
    landed: (flight: Flight, error: unknown) => void,
  ) {
    this.#memory = memory;
    this.#scratch = scratch;
    this.#pool = pool;
    this.#landed = landed;
  }

  get last(): Flight | undefined {
    return this.#flights.at(-1);
  }

  push(flight: Flight): void {
    this.#flights.push(flight);
    if (!this.#flying) void this.#fly();
    else this.#landDone();
  }

  /** Drops what has not landed; its reads hear `error`. */
  drop(error: Error): void {
    for (const { reads } of this.#flights.splice(0)) for (const read of reads) read(error);
  }

  /** Brings all batches home, one after the other. */
  async #fly(): Promise<void> {
    this.#flying = true;
    let deadline = performance.now() + frameBudget;
    for (let flight = this.#flights[0]; flight; flight = this.#flights[0]) {
      let turn: Promise<void> | undefined;
      const done = this.#attempt(flight, deadline, (...word) => {
        turn = untilChanged(...word);
      });
      if (done) continue;
      await (turn ?? nextTurn());
      deadline = performance.now() + frameBudget;
    }
    this.#flying = false;
  }

  /** Lands what the workers have done, and starts the next, without waiting. */
  #landDone(): void {
    for (let flight = this.#flights[0]; flight?.shared; flight = this.#flights[0]) {
      if (!this.#attempt(flight, 0)) return;
    }
  }

  /** Waits for the oldest batch, and helps with it. */
  landFirst(): void {
    const flight = this.#flights[0]!;
    if (!flight.shared) this.#attempt(flight, Number.POSITIVE_INFINITY);
    else if (!this.#attempt(flight, 0)) {
      this.#safely(flight, () => {
        this.#pool!.join(flight.list);
        return true;
      });
    }
  }

  /** Works on a batch, or looks whether the workers have done it; lands it if so. */
  #attempt(flight: Flight, deadline: number, wait?: Parameters<Pool["finished"]>[1]): boolean {
    return this.#safely(flight, () => {
      if (!flight.shared) return this.#work(flight, deadline);
      if (flight.list < 0) flight.list = this.#pool!.start(flight.phases);
      return this.#pool!.finished(flight.list, wait);
    });
  }

  /** Lands the batch if `f` says that it is done, and with its error if it throws. */
  #safely(flight: Flight, f: () => boolean): boolean {
    let done = true;
    let error: unknown;
    try {
      done = f();
    } catch (thrown) {
      error = thrown;
    }
    if (done) this.#land(flight, error);
    return done;
  }

  /** Runs a batch on this thread until `deadline`; whether it is done. */
  #work({ phases, place }: Flight, deadline: number): boolean {
    for (; place.phase < phases.length; place.phase++) {
      const { commands, check } = phases[place.phase]!;
      for (; place.command < commands.length; place.command++) {
        const { compiled, params, units, grain } = commands[place.command]!;
        while (place.unit < units) {
          const from = place.unit;
          place.unit = Math.min(units, from + grain);
          compiled.run(params, from, place.unit, this.#scratch);
          if (performance.now() > deadline) return false;
        }
        place.unit = 0;
      }
      place.command = 0;
      if (check !== 0 && this.#memory.i32[check >>> 2] !== 0) return true;
    }
    return true;
  }

  #land(flight: Flight, failure: unknown): void {
    this.#flights.shift();
    let error = failure;
    for (const { address, fail } of flight.checks) {
      const word = this.#memory.i32[address >>> 2]!;
      if (word !== 0) error ??= fail(word);
    }
    this.#landed(flight, error);
  }
}
