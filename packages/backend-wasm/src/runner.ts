import {
  type Buffer,
  castValue,
  type DescentError,
  foreignError,
  freedError,
  type Launch,
  type Program,
} from "@descent/backend";
import type { Compiled, Prepare, Queue } from "./kernels/entry.ts";
import type { Memory } from "./memory.ts";

/** A buffer of this backend. */
export interface WasmBuffer extends Buffer {
  /** The memory it lies in; null once freed. */
  owner: Memory | null;
  readonly address: number;
  /** In which phase of a list it was last read and written. */
  read: number;
  written: number;
}

/** The error for a buffer that this backend cannot use. */
export const lostBuffer = (buffer: Buffer, operation: string): DescentError =>
  (buffer as WasmBuffer).owner === null ? freedError(operation, buffer) : foreignError("wasm", operation, buffer);

/** Longest piece of work between two calls, in nanoseconds: the engine can only swap in better code between calls. */
const pieceCost = 50_000;

/** Bytes of parameters that a long list asks for when the usual area is full. */
const extension = 1 << 18;

/** Runs every launch at once on the calling thread. */
export class Runner implements Queue {
  readonly memory: Memory;
  readonly threads: number = 1;
  protected readonly scratch: number;
  protected area: number;
  readonly #areaBytes: number;
  protected next: number;
  protected end: number;
  protected readonly temporaries: number[] = [];

  constructor(memory: Memory, scratch: number, area: number, areaBytes: number) {
    this.memory = memory;
    this.scratch = scratch;
    this.area = area;
    this.#areaBytes = areaBytes;
    this.next = area;
    this.end = area + areaBytes;
  }

  parameters(bytes: number, program: Program, launch: Launch): number {
    const at = this.next;
    this.next += bytes;
    const { i32, f32, f64 } = this.memory;
    const { uniforms } = program;
    for (let slot = 0; slot < uniforms.length; slot++) {
      const type = uniforms[slot]!;
      const value = launch.uniforms[slot]!;
      if (type === "f32") f32[(at >>> 2) + 2 * slot] = value;
      else if (type === "f64") f64[(at >>> 3) + slot] = value;
      else i32[(at >>> 2) + 2 * slot] = castValue(value, "f64", type);
    }
    return at;
  }

  addresses(at: number, { args, label }: Launch, sizes: readonly number[]): void {
    const { i32 } = this.memory;
    for (let b = 0; b < args.length; b++) {
      const { buffer, offset } = args[b]!;
      const { owner, address } = buffer as WasmBuffer;
      if (owner !== this.memory) throw lostBuffer(buffer, label);
      i32[(at >>> 2) + b] = address + offset * sizes[b]!;
    }
  }

  words(at: number, values: readonly number[], scale: number, pad = 0, fill = 0): void {
    const { i32 } = this.memory;
    let word = at >>> 2;
    for (let k = 0; k < pad; k++) i32[word++] = fill;
    for (let k = 0; k < values.length; k++) i32[word++] = values[k]! * scale;
  }

  copyWords(at: number, count: number): number[] {
    return Array.from(this.memory.i32.subarray(at >>> 2, (at >>> 2) + count));
  }

  temporary(bytes: number, label: string): number {
    const address = this.memory.alloc(bytes, label);
    this.temporaries.push(address);
    return address;
  }

  add(compiled: Compiled, params: number, units: number, cost: number, grain = 1): void {
    const piece = Math.max(grain, Math.ceil(pieceCost / cost / grain) * grain);
    for (let from = 0; from < units; from += piece) {
      compiled.run(params, from, Math.min(units, from + piece), this.scratch);
    }
  }

  barrier(): void {}

  check(address: number, fail: (word: number) => Error): void {
    const word = this.memory.i32[address >>> 2]!;
    if (word !== 0) throw fail(word);
  }

  /** Whether the parameters of one more launch may not find room. */
  protected get crowded(): boolean {
    return this.next + 8192 > this.end;
  }

  /** Continues the parameters elsewhere, until `finish`. */
  protected extend(): void {
    this.next = this.temporary(extension, "submit");
    this.end = this.next + extension;
  }

  /** Runs one launch. */
  launch(launch: Launch, prepare: (launch: Launch) => Prepare): void {
    try {
      prepare(launch)(launch, this);
    } finally {
      this.finish();
    }
  }

  /** Runs launches in order. */
  submit(launches: readonly Launch[], prepare: (launch: Launch) => Prepare): void {
    for (const launch of launches) this.launch(launch, prepare);
  }

  /** Copies bytes into a buffer. */
  write({ address }: WasmBuffer, offset: number, bytes: Uint8Array): void {
    this.memory.u8.set(bytes, address + offset);
  }

  /** What `take` copies out of a buffer, as the launches so far leave it. */
  async read<T>(_buffer: WasmBuffer, take: () => T): Promise<T> {
    return take();
  }

  /** Memory for a buffer. */
  alloc(bytes: number, operation: string): number {
    return this.memory.alloc(bytes, operation);
  }

  /** Gives the memory of a buffer back. */
  free({ address }: WasmBuffer): void {
    this.memory.free(address);
  }

  /** Lets those who still wait hear `error`. */
  close(_error: Error): void {}

  /** Ends a launch, also one that failed: its parameters and temporaries are no longer needed. */
  protected finish(): void {
    this.next = this.area;
    this.end = this.area + this.#areaBytes;
    while (this.temporaries.length) this.memory.free(this.temporaries.pop()!);
  }
}
