import type { DType, HostArray } from "./dtype.ts";
import type { Program } from "./program.ts";

/** A piece of backend memory: `length` elements of `dtype`. Backends keep what else they need on their own subtype. */
export interface Buffer {
  readonly dtype: DType;
  readonly length: number;
}

/** A compiled program. `source` is what was generated, for people. */
export interface Kernel {
  readonly program: Program;
  readonly source?: string;
}

/** One buffer handed to a launch; `strides` (in elements, one per axis) are empty unless the binding is strided. */
export interface Arg {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** One run of a kernel over the index space `shape`. */
export interface Launch {
  readonly kernel: Kernel;
  /** One per binding, in order. */
  readonly args: readonly Arg[];
  /** Extent of every axis; contract: batch, rows, cols, then inner axes. */
  readonly shape: readonly number[];
  /** One number per uniform slot. */
  readonly uniforms: readonly number[];
  /** The operation on whose behalf this runs, for traces and errors. */
  readonly label: string;
}

export interface Limits {
  /** Element types this backend can hold and compute on. */
  readonly dtypes: readonly DType[];
  /** Most elements of one buffer. */
  readonly maxLength: number;
  /** Most bindings of one program. */
  readonly maxBindings: number;
}

/**
 * The one interface between Descent and a device: it keeps buffers and runs programs. It knows nothing of tensors, gradients
 * or optimizers. Everything is in order: a read sees every earlier launch, a freed buffer serves launches made before.
 */
export interface Backend {
  readonly name: string;
  readonly limits: Limits;
  /** Reserves memory; its contents are unspecified until written. Throws code "memory" when there is none. */
  alloc(dtype: DType, length: number): Buffer;
  /** Gives memory back. Freeing twice throws. */
  free(buffer: Buffer): void;
  /** Copies `data` in, starting at element `offset`; `data` may be changed as soon as this returns. */
  write(buffer: Buffer, data: HostArray, offset?: number): void;
  /** Copies `length` elements out, from element `offset` on. Where launches run later, it is rejected with the error of one that failed. */
  read(buffer: Buffer, offset?: number, length?: number): Promise<HostArray>;
  /** As `read`, at once; absent on backends that cannot wait. */
  readSync?(buffer: Buffer, offset?: number, length?: number): HostArray;
  /** Turns a program into a kernel. Pure: the caller caches by `program.key`. */
  compile(program: Program): Kernel;
  /** Runs one kernel, in order; may return before it has run. */
  launch(launch: Launch): void;
  /** Runs a whole list with one hand-over, where that is cheaper than one by one. */
  submit?(launches: readonly Launch[]): void;
  /** Ends every use of this backend. */
  close(): void | Promise<void>;
}
