import type { Launch } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import { add, get, I32, load, sub } from "../asm/code.ts";
import type { Compiled, Entries, Prepare } from "../kernels/entry.ts";
import { copyBytes } from "../kernels/strided-plan.ts";
import type { Memory } from "../memory.ts";
import { Runner, type WasmBuffer } from "../runner.ts";
import { nextTurn, untilChanged } from "./event-loop.ts";
import type { Pool } from "./pool.ts";
import { grainOf } from "./pool-runner.ts";
import { type Batch, Script } from "./script.ts";

/** Milliseconds that one stretch of work on a thread with an event loop may take: half a frame at 60 Hz. */
export const frameBudget = 8;
/** Parts of the parameter area, and with it the most batches that wait or run. */
const parts = 4;
/** Nanoseconds of work that go to the workers without waiting for more. */
const enough = 500_000;

/** A batch on its way. */
interface Flight extends Batch {
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

/**
 * Launches that run later: for a thread that must not block, such as a page's main thread. Launches are collected until the end of
 * the current turn of the event loop, or until there is work enough; then workers run them or, without workers, this thread does
 * in slices of `frameBudget`. Only who launches more than `parts` batches without ever awaiting waits for the oldest.
 */
export class DeferredRunner extends Runner {
  override readonly threads: number;
  readonly #pool: Pool | undefined;
  readonly #script = new Script();
  /** Oldest first. Only the first has been started. */
  readonly #flights: Flight[] = [];
  readonly #areas: number[];
  readonly #size: number;
  readonly #copy: Compiled;
  #freed: number[] = [];
  /** Serial number of the last phase that has run. */
  #done = 0;
  #shared = true;
  #scheduled = false;
  #flying = false;
  #error: unknown;

  constructor(memory: Memory, scratch: number, area: number, areaBytes: number, entries: Entries, pool?: Pool) {
    const size = areaBytes / parts;
    super(memory, scratch, area, size);
    this.#size = size;
    this.#areas = Array.from({ length: parts - 1 }, (_, n) => area + (n + 1) * size);
    this.#pool = pool;
    this.#copy = entries.compile(emitCopy(entries.features));
    this.threads = pool ? pool.threads - 1 : 1;
  }

  override add(compiled: Compiled, params: number, units: number, cost: number, grain = 1): void {
    if (!this.#pool?.share(compiled)) this.#shared = false;
    this.#script.add({ compiled, params, units, grain: grainOf(units, cost, grain, this.threads) }, units * cost);
  }

  override barrier(): void {
    this.#script.barrier();
  }

  override check(address: number, fail: (word: number) => Error): void {
    this.#script.check({ address, fail });
  }

  override launch(launch: Launch, prepare: (launch: Launch) => Prepare): void {
    if (this.crowded || this.#script.full) this.#flush();
    this.#script.order(launch);
    prepare(launch)(launch, this);
    // An index out of range ends its batch, in which nothing may follow that has no part in it.
    if (this.#script.hasChecks || this.#script.cost > enough) this.#flush();
    else this.#schedule();
  }

  override alloc(bytes: number, operation: string): number {
    try {
      return super.alloc(bytes, operation);
    } catch (error) {
      // What was freed may still be in use.
      this.#flush();
      if (this.#flights.length === 0) throw error;
      while (this.#flights.length) this.#landFirst();
      return super.alloc(bytes, operation);
    }
  }

  override free(buffer: WasmBuffer): void {
    const freed = this.#script.commands > 0 ? this.#freed : this.#flights.at(-1)?.freed;
    if (freed && this.#isUsed(buffer)) freed.push(buffer.address);
    else super.free(buffer);
  }

  override write(buffer: WasmBuffer, offset: number, bytes: Uint8Array): void {
    if (!this.#isUsed(buffer)) return super.write(buffer, offset, bytes);
    if (this.crowded || this.#script.full) this.#flush();
    const source = this.temporary(bytes.length, "write");
    this.memory.u8.set(bytes, source);
    if (Math.max(buffer.read, buffer.written) === this.#script.serial) this.barrier();
    buffer.written = this.#script.serial;
    const params = this.next;
    this.next += 64;
    this.words(params, [source, buffer.address + offset], 1);
    this.add(this.#copy, params, bytes.length, 0.1, 4096);
    this.#schedule();
  }

  override read<T>(buffer: WasmBuffer, take: () => T): Promise<T> {
    // Also what no launch touches: whether a launch fails is known to the next read, whatever it reads.
    this.#flush();
    const last = this.#flights.at(-1);
    if (last === undefined) {
      const error = this.#error;
      this.#error = undefined;
      return error === undefined ? super.read(buffer, take) : Promise.reject(error);
    }
    buffer.read = last.serial;
    return new Promise((resolve, reject) => {
      last.reads.push((error) => (error === undefined ? resolve(take()) : reject(error)));
    });
  }

  override close(error: Error): void {
    for (const { reads } of this.#flights) for (const read of reads) read(error);
    this.#flights.length = 0;
  }

  /** Whether work that has not run yet uses the buffer. */
  #isUsed({ read, written }: WasmBuffer): boolean {
    return read > this.#done || written > this.#done;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /** Sends the batch off. */
  #flush(): void {
    if (this.#script.commands === 0) return;
    this.#flights.push({
      ...this.#script.take(),
      shared: this.#shared,
      area: this.area,
      temporaries: this.temporaries.splice(0),
      freed: this.#freed,
      reads: [],
      list: -1,
      place: { phase: 0, command: 0, unit: 0 },
    });
    this.#freed = [];
    this.#shared = true;
    if (!this.#flying) void this.#fly();
    else this.#landDone();
    if (this.#areas.length === 0) this.#landFirst();
    this.area = this.next = this.#areas.pop()!;
    this.end = this.area + this.#size;
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
  #landFirst(): void {
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
          compiled.run(params, from, place.unit, this.scratch);
          if (performance.now() > deadline) return false;
        }
        place.unit = 0;
      }
      place.command = 0;
      if (check !== 0 && this.memory.i32[check >>> 2] !== 0) return true;
    }
    return true;
  }

  #land(flight: Flight, failure: unknown): void {
    this.#flights.shift();
    this.#done = flight.serial;
    let error = failure;
    for (const { address, fail } of flight.checks) {
      const word = this.memory.i32[address >>> 2]!;
      if (word !== 0) error ??= fail(word);
    }
    for (const read of flight.reads) read(error);
    if (flight.reads.length === 0) this.#error ??= error;
    for (const address of [...flight.temporaries, ...flight.freed]) this.memory.free(address);
    this.#areas.push(flight.area);
  }
}

/** Copies bytes `[from, to)` between the two addresses in the parameters. */
function emitCopy(features: Features): Assembly {
  const asm = new Assembly(features);
  const fn = new Fn([I32, I32, I32, I32]);
  const [params, from, to] = [get(0), get(1), get(2)];
  fn.push(copyBytes(add(load(params), from), add(load(params, 4), from), sub(to, from)));
  asm.export("run", fn);
  return asm;
}
