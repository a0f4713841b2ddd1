import { DescentError } from "@descent/backend";
import type { Features } from "../asm/assembler.ts";
import { type Compiled, scratchBytes } from "../kernels/entry.ts";
import type { Memory } from "../memory.ts";
import { emitDriver, stuck } from "./driver.ts";
import { areas, command, control, controlBytes, list, mostFunctions, phase } from "./protocol.ts";
import { maySleep, type Spawned, spawn } from "./spawn.ts";

/** One piece of work of a list, cut into pieces of `grain` units. */
export interface Command {
  readonly compiled: Compiled;
  readonly params: number;
  readonly units: number;
  readonly grain: number;
}

/** Commands that may run at the same time; `check` is the address of a word that ends the list unless it is 0 afterwards. */
export interface Phase {
  readonly commands: Command[];
  check: number;
}

type Work = (list: number, control: number, scratch: number, maySleep: number) => number;

/** The calling thread and its workers. `patience` is how many milliseconds a worker may take for one piece of work before it counts as dead. */
export class Pool {
  readonly threads: number;
  readonly #memory: Memory;
  readonly #control: number;
  readonly #areas: number;
  readonly #scratch: number;
  readonly #work: Work;
  readonly #table: WebAssembly.Table;
  /** Where the phases and commands of each area lie, and how many bytes fit there. */
  readonly #rooms = Array.from({ length: areas }, () => ({ address: 0, bytes: 0 }));
  readonly #workers: Spawned[] = [];
  readonly #sleeps = maySleep() ? 1 : 0;
  #generation = 0;
  #functions = 0;
  #failure: DescentError | undefined;

  constructor(memory: Memory, workers: number, features: Features, scratch: number, patience?: number) {
    this.threads = workers + 1;
    this.#memory = memory;
    this.#scratch = scratch;
    this.#control = memory.alloc(controlBytes, "wasm");
    this.#areas = memory.alloc(areas * list.bytes, "wasm");
    memory.u8.fill(0, this.#control, this.#control + controlBytes);
    memory.u8.fill(0, this.#areas, this.#areas + areas * list.bytes);
    this.#table = new WebAssembly.Table({ initial: mostFunctions, element: "anyfunc" });
    const driver = new WebAssembly.Module(emitDriver(features, patience).bytes());
    const instance = new WebAssembly.Instance(driver, { e: { m: memory.memory, t: this.#table } });
    this.#work = instance.exports.work as Work;
    for (let n = 0; n < workers; n++) {
      const data = {
        memory: memory.memory,
        driver,
        at: this.#control,
        first: this.#areas,
        scratch: memory.alloc(scratchBytes, "wasm"),
      };
      this.#workers.push(spawn(data, (cause) => this.#fail("a worker ended", cause)));
    }
  }

  /** Lets workers run it; false where they know as many functions as they can. */
  share(compiled: Compiled): boolean {
    if (compiled.slot >= 0) return true;
    if (this.#functions === mostFunctions) return false;
    const memory = this.#memory;
    const { bytes } = compiled;
    const address = memory.alloc(bytes.length, "compile");
    memory.u8.set(bytes, address);
    compiled.slot = this.#functions++;
    const entry = (this.#control + control.directory + 8 * compiled.slot) >>> 2;
    memory.i32[entry] = address;
    memory.i32[entry + 1] = bytes.length;
    this.#table.set(compiled.slot, compiled.run);
    Atomics.store(memory.i32, (this.#control + control.functions) >>> 2, this.#functions);
    return true;
  }

  /** Runs phases one after the other, on all threads; returns when they are done. */
  run(phases: readonly Phase[]): void {
    this.join(this.start(phases));
  }

  /** Hands phases to the workers; gives the address of the list, for `join` or `finished`. One list at a time. */
  start(phases: readonly Phase[]): number {
    this.#throwFailure();
    const at = this.#vacantArea();
    const first = this.#room(phases);
    const { i32 } = this.#memory;
    let here = first;
    let next = here + phases.length * phase.bytes;
    i32[(at + list.phases) >>> 2] = phases.length;
    i32[(at + list.first) >>> 2] = first;
    for (const { commands, check } of phases) {
      let pieces = 0;
      i32[(here + phase.commands) >>> 2] = next;
      for (const { compiled, params, units, grain } of commands) {
        const word = next >>> 2;
        i32[word] = compiled.slot;
        i32[word + 1] = params;
        i32[word + 2] = units;
        i32[word + 3] = grain;
        i32[word + 4] = pieces;
        pieces += Math.ceil(units / grain);
        i32[word + 5] = pieces;
        next += command.bytes;
      }
      i32[(here + phase.next) >>> 2] = 0;
      i32[(here + phase.pieces) >>> 2] = pieces;
      i32[(here + phase.check) >>> 2] = check;
      i32[(here + phase.done) >>> 2] = 0;
      here += phase.bytes;
    }
    Atomics.store(i32, (at + list.open) >>> 2, this.#generation);
    Atomics.store(i32, (this.#control + control.generation) >>> 2, this.#generation);
    this.rouse();
    return at;
  }

  /** Wakes workers that sleep: a list is there or, at any moment, will be. */
  rouse(): void {
    const { i32 } = this.#memory;
    if (this.asleep > 0) Atomics.notify(i32, (this.#control + control.generation) >>> 2);
  }

  /** How many workers sleep. */
  get asleep(): number {
    return Atomics.load(this.#memory.i32, (this.#control + control.asleep) >>> 2);
  }

  /** Works on the list at `at` until it is done. */
  join(at: number): void {
    const outcome = this.#work(at, this.#control, this.#scratch, this.#sleeps);
    this.#end(at);
    if (outcome === stuck) this.#fail("a worker makes no progress", undefined);
    this.#throwFailure();
  }

  /** Whether the workers have done the list at `at`; if not, `wait` may hear when to look again. */
  finished(at: number, wait?: (word: Int32Array, index: number, value: number) => void): boolean {
    this.#throwFailure();
    const { i32 } = this.#memory;
    const phases = i32[(at + list.phases) >>> 2]!;
    const first = i32[(at + list.first) >>> 2]!;
    for (let n = 0; n < phases; n++) {
      const here = (first + n * phase.bytes) >>> 2;
      const word = here + phase.done / 4;
      const done = Atomics.load(i32, word);
      if (done !== i32[here + phase.pieces / 4]) {
        wait?.(i32, word, done);
        return false;
      }
      const check = i32[here + phase.check / 4]! >>> 2;
      if (check !== 0 && Atomics.load(i32, check) !== 0) break;
    }
    this.#end(at);
    return true;
  }

  #end(at: number): void {
    Atomics.store(this.#memory.i32, (at + list.open) >>> 2, -1);
  }

  /** Counts on to a generation whose area no worker is in: one that was slow to leave may still be where it was. */
  #vacantArea(): number {
    for (;;) {
      // −1 means the end, so the count stays positive.
      this.#generation = (this.#generation + 1) & 0x3fffffff;
      const at = this.#areas + (this.#generation % areas) * list.bytes;
      if (Atomics.load(this.#memory.i32, (at + list.active) >>> 2) === 0) return at;
      this.#throwFailure();
    }
  }

  /** Room for the phases and commands of the list in the area of this generation, which is vacant. */
  #room(phases: readonly Phase[]): number {
    let bytes = 0;
    for (const { commands } of phases) bytes += phase.bytes + command.bytes * commands.length;
    const room = this.#rooms[this.#generation % areas]!;
    if (room.bytes < bytes) {
      const address = this.#memory.alloc(2 * bytes, "wasm");
      if (room.bytes > 0) this.#memory.free(room.address);
      Object.assign(room, { address, bytes: 2 * bytes });
    }
    return room.address;
  }

  /** Throws if a worker has failed, whether its flag or its end was noticed first, and whether or not anybody waits for it. */
  #throwFailure(): void {
    const flag = (this.#control + control.failed) >>> 2;
    if (Atomics.load(this.#memory.i32, flag) !== 0) this.#fail("a worker failed", undefined);
    if (this.#failure) throw this.#failure;
  }

  close(): void {
    const generation = (this.#control + control.generation) >>> 2;
    Atomics.store(this.#memory.i32, generation, -1);
    Atomics.notify(this.#memory.i32, generation);
    for (const worker of this.#workers) worker.stop();
  }

  #fail(fault: string, cause: unknown): void {
    this.#failure ??= new DescentError(
      "internal",
      "wasm",
      fault,
      { threads: this.threads },
      "Make a new backend; wasm({ threads: 1 }) uses no workers.",
      { cause },
    );
  }
}
