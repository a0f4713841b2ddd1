import {
  type Backend,
  type Buffer,
  checkAlloc,
  checkProgram,
  checkRange,
  checkWrite,
  closedError,
  type DType,
  dtypes,
  foreignError,
  freedError,
  type HostArray,
  hostArray,
  type Kernel,
  type Launch,
  type Limits,
  type Program,
} from "@descent/backend";
import { Deferred } from "./gpu/deferred.ts";
import type { Engine, EngineOptions } from "./gpu/engine.ts";
import { writeHalves } from "./gpu/halves.ts";
import { Lifeline } from "./gpu/lifeline.ts";
import { WebgpuBuffer, type WebgpuMemory } from "./gpu/memory.ts";
import type { Opened } from "./gpu/open.ts";
import type { ProfileResult } from "./gpu/profile.ts";
import type { Recovery } from "./gpu/recovery.ts";
import type { StreamCounts } from "./gpu/stream.ts";
import { fromMemory, toMemory } from "./gpu/transfer.ts";
import { prepareProgram } from "./kernels/compile.ts";
import type { Prepare } from "./kernels/recorder.ts";
import type { Clocks, TuneOptions, TuneResult } from "./tuning/tune.ts";
import { heldBytes } from "./wgsl/storage.ts";

export interface WebgpuKernel extends Kernel {
  readonly prepare: Prepare;
}

const name = "webgpu";

/** The backend on a GPU, and what only it can say or do. */
export class WebgpuBackend implements Backend {
  readonly name = name;
  readonly limits: Limits;
  readonly #live = new Set<WebgpuBuffer>();
  readonly #recovery: Recovery | null;
  readonly #lifeline: Lifeline;
  #open = true;
  #deferred: Deferred | null = null;

  /** `recovery` makes what watches over all live buffers; null: a lost device is the end. */
  constructor(
    opened: Opened,
    options: EngineOptions,
    recovery: ((live: ReadonlySet<WebgpuBuffer>) => Recovery) | null,
  ) {
    this.#recovery = recovery?.(this.#live) ?? null;
    this.#lifeline = new Lifeline(opened, options, this.#recovery);
    this.limits = {
      dtypes: dtypes.filter((dtype) => dtype !== "float64"),
      maxLength: Math.floor(this.#engine.mostBytes / 4),
      maxBindings: this.#engine.bindings,
    };
  }

  get #engine(): Engine {
    return this.#lifeline.engine;
  }

  /** What the adapter is called. */
  get adapter(): string {
    return this.#engine.opened.description;
  }
  /** The device, for whoever shares it. */
  get device(): GPUDevice {
    return this.#engine.device;
  }
  get memory(): WebgpuMemory {
    return this.#engine.memory.state;
  }
  /** Submits, dispatches, passes and writes of parameters since the start, on this device; pipelines and bind groups made. */
  get counts(): Readonly<StreamCounts & { compiled: number; groups: number }> {
    const { counts, pipelines, groups } = this.#engine.stream;
    return { ...counts, compiled: pipelines.compiled, groups: groups.made };
  }

  alloc(dtype: DType, length: number): Buffer {
    this.#ready("alloc");
    checkAlloc(name, this.limits, dtype, length);
    const block = this.#engine.memory.alloc(length * heldBytes(dtype, this.#engine.features));
    const buffer = new WebgpuBuffer(dtype, length, this, block);
    this.#live.add(buffer);
    return buffer;
  }

  free(buffer: Buffer): void {
    if (!this.#open) throw closedError(name, "free");
    const own = this.#owned(buffer, "free");
    own.owner = null;
    own.shadow = null;
    this.#live.delete(own);
    this.#later(() => this.#engine.memory.free(own.block, this.#engine.stream.batch));
  }

  write(buffer: Buffer, data: HostArray, offset = 0): void {
    this.#ready("write");
    const own = this.#owned(buffer, "write");
    checkWrite(buffer, data, offset);
    const { features } = this.#engine;
    const bytes = heldBytes(own.dtype, features);
    const words = toMemory(own.dtype, features, data);
    this.#recovery?.wrote(own, words, data.length === own.length);
    const kept = this.#deferred && words === data ? words.slice() : words;
    this.#later(() => {
      const { stream } = this.#engine;
      if (bytes === 2) writeHalves(stream, own.block, offset, kept as Uint16Array);
      else stream.write(own.block, offset * bytes, kept as ArrayBufferView<ArrayBuffer>);
    });
  }

  async read(buffer: Buffer, offset = 0, length = buffer.length - offset): Promise<HostArray> {
    this.#ready("read");
    const own = this.#owned(buffer, "read");
    checkRange("read", buffer, offset, length);
    if (length === 0) return hostArray(own.dtype, 0);
    if (this.#deferred) await this.#deferred.settle(this.#engine);
    const engine = this.#engine;
    const { features, stream } = engine;
    const bytes = heldBytes(own.dtype, features);
    const from = Math.floor((offset * bytes) / 4) * 4;
    const to = Math.ceil(((offset + length) * bytes) / 4) * 4;
    const reading = stream.read(own.block, from, to - from);
    this.#recovery?.take(engine);
    const [found, failure] = await reading.then(
      (value) => [value, null] as const,
      (error: unknown) => [null, error] as const,
    );
    const notice = await this.#lifeline.verdict(engine, failure);
    if (notice) throw notice;
    if (!found) throw this.#open ? failure : closedError(name, "read");
    return fromMemory(own.dtype, features, found, offset * bytes - from, length);
  }

  compile(program: Program): Kernel {
    this.#ready("compile");
    checkProgram(name, this.limits, program);
    const kernel: WebgpuKernel = { program, prepare: prepareProgram(program) };
    return kernel;
  }

  launch(launch: Launch): void {
    this.#ready(launch.label);
    for (const { buffer } of launch.args)
      if ((buffer as WebgpuBuffer).owner !== this) this.#owned(buffer, launch.label);
    if (this.#lifeline.untold) return;
    this.#recovery?.launched(launch);
    if (this.#deferred) {
      this.#engine.collecting = this.#deferred.shaders;
      this.#record(launch);
      this.#engine.collecting = null;
      this.#deferred.push(() => this.#record(launch));
    } else this.#record(launch);
  }

  /** Records all of them; they are handed over with the next read, or when enough is queued. */
  submit(launches: readonly Launch[]): void {
    this.#ready("submit");
    for (const launch of launches) this.launch(launch);
  }

  /**
   * Runs `work`, a training step for example, with every pipeline that it needs made at the same time and without holding up the
   * page: the first step then costs what the slowest shader costs, instead of the sum.
   */
  async warmup(work: () => unknown): Promise<void> {
    this.#ready("warmup");
    const deferred = new Deferred();
    this.#deferred = deferred;
    try {
      await work();
    } finally {
      this.#deferred = null;
      await deferred.settle(this.#engine);
    }
  }

  /**
   * Times every dispatch of `work`.
   *
   * @throws DescentError `unsupported` where the adapter has no timestamp queries.
   */
  async profile(work: () => unknown): Promise<ProfileResult> {
    this.#ready("profile");
    const { Profile } = await import("./gpu/profile.ts");
    const { device, stream } = this.#engine;
    const profile = new Profile(device, this.adapter);
    stream.flush();
    stream.profile = profile;
    try {
      await work();
    } finally {
      await stream.idle();
      stream.profile = null;
    }
    return profile.result();
  }

  /**
   * Finds out by measuring how this device computes the products of `work` fastest, which is run once for that (a training step, say);
   * without it, products of usual kinds. They are computed that way from now on, and in later runs: choices are kept (see the option
   * `tuningCache`), so that a second call finds nothing left to do. Nothing else ever measures, and without measurements rules choose.
   * Sums may be added up in another order than before.
   */
  async tune(work?: () => unknown, options: TuneOptions & Clocks = {}): Promise<TuneResult> {
    this.#ready("tune");
    const { tune } = await import("./tuning/tune.ts");
    return tune(this, this.#engine, work, options);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#lifeline.closed = true;
    const { opened, device, memory } = this.#engine;
    for (const { block } of this.#live) memory.free(block, 0);
    memory.clear();
    memory.trim(0);
    this.#live.clear();
    if (opened.again) device.destroy();
  }

  #later(action: () => void): void {
    if (this.#deferred) this.#deferred.push(action);
    else action();
  }

  #record(launch: Launch): void {
    const engine = this.#engine;
    engine.faults.noteOperation(launch.label);
    try {
      (launch.kernel as WebgpuKernel).prepare(launch, engine);
    } finally {
      engine.release();
    }
  }

  #ready(operation: string): void {
    if (!this.#open) throw closedError(name, operation);
    if (this.#lifeline.lost) throw this.#lifeline.lost;
  }

  #owned(buffer: Buffer, operation: string): WebgpuBuffer {
    const own = buffer as WebgpuBuffer;
    if (own.owner === this) return own;
    throw own.owner === null ? freedError(operation, buffer) : foreignError(name, operation, buffer);
  }
}
