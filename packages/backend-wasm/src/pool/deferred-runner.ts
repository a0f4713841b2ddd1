import type { Launch } from "@descent/backend";
import { Assembly, type Features, Fn } from "../asm/assembler.ts";
import { add, get, I32, load, sub } from "../asm/code.ts";
import type { Compiled, Entries, Prepare } from "../kernels/entry.ts";
import { copyBytes } from "../kernels/strided-plan.ts";
import type { Memory } from "../memory.ts";
import { Runner, type WasmBuffer } from "../runner.ts";
import { type Flight, Flights } from "./flights.ts";
import type { Pool } from "./pool.ts";
import { grainOf } from "./pool-runner.ts";
import { Script } from "./script.ts";

/** Parts of the parameter area, and with it the most batches that wait or run. */
const parts = 4;
/** Nanoseconds of work that go to the workers without waiting for more. */
const enough = 500_000;

/**
 * Launches that run later: for a thread that must not block, such as a page's main thread. Launches are collected until the end of
 * the current turn of the event loop, or until there is work enough; then workers run them or, without workers, this thread does
 * in slices of `frameBudget`. Only who launches more than `parts` batches without ever awaiting waits for the oldest.
 */
export class DeferredRunner extends Runner {
  override readonly threads: number;
  readonly #pool: Pool | undefined;
  readonly #script = new Script();
  readonly #flights: Flights;
  readonly #areas: number[];
  readonly #size: number;
  readonly #copy: Compiled;
  #freed: number[] = [];
  /** Serial number of the last phase that has run. */
  #done = 0;
  #shared = true;
  #scheduled = false;
  #closed = false;
  #error: unknown;

  constructor(memory: Memory, scratch: number, area: number, areaBytes: number, entries: Entries, pool?: Pool) {
    const size = areaBytes / parts;
    super(memory, scratch, area, size);
    this.#size = size;
    this.#areas = Array.from({ length: parts - 1 }, (_, n) => area + (n + 1) * size);
    this.#pool = pool;
    this.#flights = new Flights(memory, scratch, pool, (flight, error) => this.#landed(flight, error));
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
    if (this.crowded) this.#flush();
    this.#script.order(launch);
    prepare(launch)(launch, this);
    // An index out of range ends its batch, in which nothing may follow that has no part in it.
    if (this.#script.hasChecks || this.#script.cost > enough) this.#flush();
    else this.#schedule();
  }

  override alloc(bytes: number, operation: string): number {
    try {
      return super.alloc(bytes, operation);
    } catch {
      // What was freed may still have been in use.
      this.#flush();
      while (this.#flights.last) this.#flights.landFirst();
      return super.alloc(bytes, operation);
    }
  }

  override free(buffer: WasmBuffer): void {
    const freed = this.#script.commands > 0 ? this.#freed : this.#flights.last?.freed;
    if (freed && this.#isUsed(buffer)) freed.push(buffer.address);
    else super.free(buffer);
  }

  override write(buffer: WasmBuffer, offset: number, bytes: Uint8Array): void {
    if (!this.#isUsed(buffer)) return super.write(buffer, offset, bytes);
    if (this.crowded) this.#flush();
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
    const { last } = this.#flights;
    if (last === undefined) {
      const error = this.#takeError();
      return error === undefined ? super.read(buffer, take) : Promise.reject(error);
    }
    buffer.read = last.serial;
    return new Promise((resolve, reject) => {
      last.reads.push((error) => (error === undefined ? resolve(take()) : reject(error)));
    });
  }

  override close(error: Error): void {
    this.#closed = true;
    this.#flights.drop(error);
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
    if (this.#script.commands === 0 || this.#closed) return;
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
    if (this.#areas.length === 0) this.#flights.landFirst();
    this.area = this.next = this.#areas.pop()!;
    this.end = this.area + this.#size;
  }

  /** What went wrong since the last read; said once. */
  #takeError(): unknown {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  #landed({ serial, reads, temporaries, freed, area }: Flight, error: unknown): void {
    this.#done = serial;
    this.#error ??= error;
    const fault = reads.length ? this.#takeError() : undefined;
    for (const read of reads) read(fault);
    for (const address of [...temporaries, ...freed]) this.memory.free(address);
    this.#areas.push(area);
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
