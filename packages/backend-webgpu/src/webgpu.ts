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
import { Engine } from "./gpu/engine.ts";
import { writeHalves } from "./gpu/halves.ts";
import { WebgpuBuffer, type WebgpuMemory } from "./gpu/memory.ts";
import { open, type WebgpuOptions } from "./gpu/open.ts";
import type { ProfileResult } from "./gpu/profile.ts";
import type { StreamCounts } from "./gpu/stream.ts";
import { fromMemory, toMemory } from "./gpu/transfer.ts";
import { prepareProgram } from "./kernels/compile.ts";
import type { Prepare } from "./kernels/recorder.ts";
import { heldBytes } from "./wgsl/storage.ts";

interface WebgpuKernel extends Kernel {
  readonly prepare: Prepare;
}

/** The backend on a GPU, and what only it can say. */
export interface WebgpuBackend extends Backend {
  /** What the adapter is called. */
  readonly adapter: string;
  readonly memory: WebgpuMemory;
  /** Submits, dispatches and passes since the start. */
  readonly counts: Readonly<StreamCounts>;
}

const name = "webgpu";

export async function webgpu(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const { poolBytes = 2 ** 30, deterministic = false } = options;
  const engine = new Engine(await open(options), { poolBytes, deterministic });
  const { features } = engine;
  const limits: Limits = {
    dtypes: dtypes.filter((dtype) => dtype !== "float64"),
    maxLength: Math.floor(engine.mostBytes / 4),
    maxBindings: engine.bindings,
  };
  const owner = {};
  let isOpen = true;

  const checked = (buffer: Buffer, operation: string): WebgpuBuffer => {
    if (!isOpen) throw closedError(name, operation);
    const own = buffer as WebgpuBuffer;
    if (own.owner === owner) return own;
    throw own.owner === null ? freedError(operation, buffer) : foreignError(name, operation, buffer);
  };
  const record = (launch: Launch): void => {
    for (const { buffer } of launch.args) if ((buffer as WebgpuBuffer).owner !== owner) checked(buffer, launch.label);
    engine.faults.noteOperation(launch.label);
    try {
      (launch.kernel as WebgpuKernel).prepare(launch, engine);
    } finally {
      engine.release();
    }
  };

  return {
    name,
    limits,
    adapter: engine.opened.description,
    get memory() {
      return engine.memory.state;
    },
    get counts() {
      return engine.stream.counts;
    },
    alloc(dtype: DType, length: number): Buffer {
      if (!isOpen) throw closedError(name, "alloc");
      checkAlloc(name, limits, dtype, length);
      const block = engine.memory.alloc(length * heldBytes(dtype, features));
      return new WebgpuBuffer(dtype, length, owner, block);
    },
    free(buffer) {
      const own = checked(buffer, "free");
      engine.memory.free(own.block, engine.stream.batch);
      own.owner = null;
    },
    write(buffer, data, offset = 0) {
      const own = checked(buffer, "write");
      checkWrite(buffer, data, offset);
      const bytes = heldBytes(own.dtype, features);
      if (bytes === 2) writeHalves(engine.stream, own.block, offset, data as Uint16Array);
      else engine.stream.write(own.block, offset * bytes, toMemory(own.dtype, features, data));
    },
    async read(buffer, offset = 0, length = buffer.length - offset): Promise<HostArray> {
      const own = checked(buffer, "read");
      checkRange("read", buffer, offset, length);
      if (length === 0) return hostArray(own.dtype, 0);
      const bytes = heldBytes(own.dtype, features);
      const from = Math.floor((offset * bytes) / 4) * 4;
      const to = Math.ceil(((offset + length) * bytes) / 4) * 4;
      const found = await engine.stream.read(own.block, from, to - from);
      return fromMemory(own.dtype, features, found, offset * bytes - from, length);
    },
    compile(program: Program): WebgpuKernel {
      if (!isOpen) throw closedError(name, "compile");
      checkProgram(name, limits, program);
      return { program, prepare: prepareProgram(program) };
    },
    launch(launch: Launch): void {
      if (!isOpen) throw closedError(name, launch.label);
      record(launch);
    },
    submit(launches: readonly Launch[]): void {
      if (!isOpen) throw closedError(name, "submit");
      for (const launch of launches) record(launch);
      engine.stream.flush();
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      if (engine.opened.again) engine.device.destroy();
    },
  };
}

export type { ProfileResult, WebgpuOptions };
