import { DescentError, type HostArray, type Launch } from "@descent/backend";
import type { Generator } from "./generator.ts";
import type { RandomKey } from "./random-stream.ts";
import type { Runtime } from "./runtime.ts";
import type { Storage } from "./storage.ts";
import type { Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** The numbers a launch was made from, and how its uniforms follow from them. */
export interface HostPart {
  readonly hyper: readonly number[];
  readonly uniforms: (hyper: readonly number[]) => readonly number[];
}

/** Host code inside a step that has to run at every replay: an optimizer's step counts and hyperparameters. */
export interface HostCall {
  /** Whether it hands over all its launches at once, with `Runtime.submit`, so that a replay may collect them and run them later. */
  planned(): boolean;
  run(): void;
  /** What follows when its launches were handed over, such as hooks; nothing in it is recorded. */
  after(): void;
}

/** Hears what happens to tensors: how `capture` records a step. */
export interface Watcher {
  allocated(storage: Storage): void;
  used(storage: Storage): void;
  launched(runtime: Runtime, launch: Launch, host: HostPart | null): void;
  /** Whether it takes these launches instead of their being run. */
  takes(runtime: Runtime, launches: readonly Launch[]): boolean;
  wrote(storage: Storage, data: HostArray): void;
  /** Before elements are read. */
  reads(operation: string): void;
  drew(generator: Generator, key: RandomKey): void;
  gradRead(tensor: Tensor, grad: Tensor | null): void;
  gradSet(tensor: Tensor, grad: Tensor | null): void;
  metTape(tape: Tape): void;
  hosts(call: HostCall): void;
}

/** Who listens now; null most of the time, and then all it costs is this look. */
export let watcher: Watcher | null = null;

/** Runs `fn` with `listener` listening (null: nobody). */
export function watched<T>(listener: Watcher | null, fn: () => T): T {
  const before = watcher;
  watcher = listener;
  try {
    return fn();
  } finally {
    watcher = before;
  }
}

/** Runs host code that replays of a captured step have to run again. */
export function hosted(call: HostCall): void {
  if (watcher) watcher.hosts(call);
  else {
    call.run();
    call.after();
  }
}

/** Whether a step is being recorded: then values cannot be looked at. */
export const isCapturing = (): boolean => watcher !== null;

/** Counts changes to what may decide which operations run; captured steps look at it. */
export let structureVersion = 0;

/** Tells captured steps that something changed which may decide what they do (training or evaluation, a parameter's memory): they record anew. */
export function structureChanged(): void {
  structureVersion++;
}

/** The error for what cannot be captured. */
export const refuse = (fault: string, facts: Record<string, unknown>, hint: string): DescentError =>
  new DescentError("unsupported", "capture", fault, facts, hint);
