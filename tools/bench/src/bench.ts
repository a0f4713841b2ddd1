import type { Arg, Backend, Buffer, Launch } from "@descent/backend";
import { measure } from "./measure.ts";
import type { Finding } from "./report.ts";

/** What a benchmark family is given: a backend, and helpers that measure on it. */
export class Bench {
  readonly backend: Backend;
  readonly findings: Finding[] = [];
  readonly #family: string;
  readonly #report: (finding: Finding) => void;

  constructor(backend: Backend, family: string, report: (finding: Finding) => void) {
    this.backend = backend;
    this.#family = family;
    this.#report = report;
  }

  /** A float32 buffer of `length` random numbers between 0 and 1. */
  random(length: number): Buffer {
    const buffer = this.backend.alloc("float32", length);
    this.backend.write(buffer, Float32Array.from({ length }, Math.random));
    return buffer;
  }

  /** A buffer as an argument; strides where the binding is strided. */
  arg(buffer: Buffer, strides: readonly number[] = []): Arg {
    return { buffer, offset: 0, strides };
  }

  /** Measures `run`, which ends by writing `last`; `work` per call gives a rate in `unit`. */
  async run(name: string, run: () => void, last: Buffer, work?: number, unit?: string): Promise<void> {
    const timing = await measure(run, () => this.backend.read(last, 0, 1));
    const rates = work !== undefined && unit && { median: work / timing.median, best: work / timing.best, unit };
    const finding = { family: this.#family, name, timing, ...(rates && { rate: rates }) };
    this.findings.push(finding);
    this.#report(finding);
  }

  /** Measures one launch over and over. Its last argument is what it writes. */
  launch(name: string, launch: Launch, work?: number, unit?: string): Promise<void> {
    return this.run(name, () => this.backend.launch(launch), (launch.args.at(-1) as Arg).buffer, work, unit);
  }

  free(...buffers: readonly Buffer[]): void {
    for (const buffer of buffers) this.backend.free(buffer);
  }
}

/** A benchmark family: one file in `families/`. */
export type Family = (bench: Bench) => Promise<void>;

export const giga = 1e-9;
