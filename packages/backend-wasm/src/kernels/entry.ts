import type { Launch, Program } from "@descent/backend";
import type { Assembly, Features } from "../asm/assembler.ts";

/** Bytes of scratch memory every thread has. */
export const scratchBytes = 1 << 20;

/** One compiled entry point: does units `[from, to)` of a launch whose parameters lie at `params`. */
export interface Compiled {
  readonly run: (params: number, from: number, to: number, scratch: number) => void;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its number in the function table that workers share; −1 until first needed there. */
  slot: number;
}

/** Turns assemblies into entry points. */
export interface Entries {
  readonly features: Features;
  compile(assembly: Assembly): Compiled;
}

/** Where a launch writes its parameters and leaves its work. */
export interface Queue {
  /** Most threads that may work at once. */
  readonly threads: number;
  /** Reserves `bytes` of parameters, with the uniforms of `launch` at their start; gives their address. */
  parameters(bytes: number, program: Program, launch: Launch): number;
  /** Writes the address of every argument from `at` on. */
  addresses(at: number, launch: Launch, sizes: readonly number[]): void;
  /** Writes `pad` times `fill`, then `values` times `scale`. */
  words(at: number, values: readonly number[], scale: number, pad?: number, fill?: number): void;
  /** Reads words back, as they were written. */
  copyWords(at: number, count: number): number[];
  /** Memory that lives until the work of this launch is done. */
  temporary(bytes: number, label: string): number;
  /** Adds work: `units` of them, `cost` nanoseconds each, handed out in multiples of `grain`. */
  add(compiled: Compiled, params: number, units: number, cost: number, grain?: number): void;
  /** What follows needs what came before. */
  barrier(): void;
  /** Looks at the word at `address` when the work so far is done, and lets `fail` throw unless it is 0. */
  check(address: number, fail: (word: number) => Error): void;
}

/** Prepares and queues one launch. */
export type Prepare = (launch: Launch, queue: Queue) => void;
