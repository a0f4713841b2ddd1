import type { Launch } from "@descent/backend";
import type { Compiled, Prepare } from "../kernels/entry.ts";
import type { Memory } from "../memory.ts";
import { Runner, type WasmBuffer } from "../runner.ts";
import { mostCommands, type Phase, type Pool } from "./pool.ts";

/** Nanoseconds of work below which waking a worker costs more than it saves. */
const worthSharing = 30_000;
/** A piece is long enough to be worth taking, and short enough that threads end together. */
const [shortest, longest] = [8_000, 100_000];

/** Runs small launches on the calling thread and hands large ones, and lists, to the pool. */
export class PoolRunner extends Runner {
  override readonly threads: number;
  readonly #pool: Pool;
  #listing = false;
  #phases: Phase[] = [{ commands: [], check: 0 }];
  #commands = 0;
  #cost = 0;
  #checks: { readonly address: number; readonly fail: (word: number) => Error }[] = [];
  /** Number of the phase being filled, over all lists: buffers remember in which one they were last used. */
  #serial = 1;

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
    const ideal = Math.min(longest, Math.max(shortest, total / (8 * this.threads)));
    const piece = Math.max(grain, Math.ceil(ideal / cost / grain) * grain);
    this.#phases.at(-1)!.commands.push({ compiled, params, units, grain: piece });
    this.#commands++;
    this.#cost += total;
    if (!this.#listing) this.#flush();
  }

  override barrier(): void {
    const last = this.#phases.at(-1)!;
    if (last.commands.length) this.#phases.push({ commands: [], check: 0 });
    this.#serial++;
  }

  override check(address: number, fail: (word: number) => Error): void {
    if (!this.#listing || this.#commands === 0) return super.check(address, fail);
    this.#phases.at(-1)!.check = address;
    this.#checks.push({ address, fail });
    this.barrier();
  }

  /** Runs launches in order, those that do not touch each other's results at the same time. */
  override submit(launches: readonly Launch[], prepare: (launch: Launch) => Prepare): void {
    this.#listing = true;
    try {
      for (const launch of launches) {
        // Enough room for the parameters and commands of any one launch.
        if (
          this.next + 8192 > this.end ||
          this.#commands + 4 > mostCommands ||
          this.#phases.length + 4 > mostCommands
        ) {
          this.#flush();
          super.finish();
        }
        this.#order(launch);
        prepare(launch)(launch, this);
      }
      this.#flush();
    } finally {
      this.#listing = false;
      this.#clear();
    }
  }

  /** Starts a new phase where `launch` needs what this one writes, or writes what it reads. */
  #order({ kernel, args }: Launch): void {
    const { bindings } = kernel.program;
    for (let b = 0; b < args.length; b++) {
      const buffer = args[b]!.buffer as WasmBuffer;
      const reads = bindings[b]!.mode === "read";
      if (buffer.written === this.#serial || (!reads && buffer.read === this.#serial)) this.barrier();
    }
    for (let b = 0; b < args.length; b++) {
      const buffer = args[b]!.buffer as WasmBuffer;
      if (bindings[b]!.mode !== "write") buffer.read = this.#serial;
      if (bindings[b]!.mode !== "read") buffer.written = this.#serial;
    }
  }

  #flush(): void {
    if (this.#commands === 0) return;
    const [phases, checks, cost] = [this.#phases, this.#checks, this.#cost];
    this.#clear();
    if (phases.at(-1)!.commands.length === 0) phases.pop();
    if (cost >= worthSharing) this.#pool.run(phases);
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

  #clear(): void {
    this.#phases = [{ commands: [], check: 0 }];
    this.#checks = [];
    this.#commands = 0;
    this.#cost = 0;
    this.#serial++;
  }
}
