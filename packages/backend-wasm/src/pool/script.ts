import type { Launch } from "@descent/backend";
import type { WasmBuffer } from "../runner.ts";
import type { Command, Phase } from "./pool.ts";

/** What to look at when a list is done: `fail` makes the error if the word at `address` is not 0. */
export interface Check {
  readonly address: number;
  readonly fail: (word: number) => Error;
}

/** A list that is complete. */
export interface Batch {
  readonly phases: readonly Phase[];
  readonly checks: readonly Check[];
  /** Nanoseconds of work. */
  readonly cost: number;
  /** Number of its last phase, over all lists. */
  readonly serial: number;
}

/** A list of commands as it is written: launches that do not touch each other's results share a phase. */
export class Script {
  /** Number of the phase being written, over all lists: buffers remember in which one they were last used. */
  serial = 1;
  commands = 0;
  #phases: Phase[] = [{ commands: [], check: 0 }];
  #checks: Check[] = [];
  #cost = 0;

  get cost(): number {
    return this.#cost;
  }

  get hasChecks(): boolean {
    return this.#checks.length > 0;
  }

  add(command: Command, cost: number): void {
    this.#phases.at(-1)!.commands.push(command);
    this.commands++;
    this.#cost += cost;
  }

  barrier(): void {
    if (this.#phases.at(-1)!.commands.length) this.#phases.push({ commands: [], check: 0 });
    this.serial++;
  }

  check(check: Check): void {
    this.#phases.at(-1)!.check = check.address;
    this.#checks.push(check);
    this.barrier();
  }

  /** Starts a new phase where `launch` needs what this one writes, or writes what it reads. */
  order({ kernel, args }: Launch): void {
    const { bindings } = kernel.program;
    for (let b = 0; b < args.length; b++) {
      const buffer = args[b]!.buffer as WasmBuffer;
      const reads = bindings[b]!.mode === "read";
      if (buffer.written === this.serial || (!reads && buffer.read === this.serial)) this.barrier();
    }
    for (let b = 0; b < args.length; b++) {
      const buffer = args[b]!.buffer as WasmBuffer;
      if (bindings[b]!.mode !== "write") buffer.read = this.serial;
      if (bindings[b]!.mode !== "read") buffer.written = this.serial;
    }
  }

  /** Gives what was written and starts anew. */
  take(): Batch {
    const phases = this.#phases;
    const batch = { phases, checks: this.#checks, cost: this.#cost, serial: this.serial };
    if (phases.at(-1)!.commands.length === 0) phases.pop();
    this.#phases = [{ commands: [], check: 0 }];
    this.#checks = [];
    this.commands = 0;
    this.#cost = 0;
    this.serial++;
    return batch;
  }
}
