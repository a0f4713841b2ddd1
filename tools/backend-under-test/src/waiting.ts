import { Worker } from "node:worker_threads";
import {
  type Backend,
  type Buffer,
  byteSize,
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
  hostView,
  type Kernel,
  type Launch,
  type Limits,
  type Program,
} from "@descent/backend";

/** What goes to the worker. */
export type Message =
  | { kind: "alloc"; id: number; dtype: DType; length: number }
  | { kind: "free"; id: number }
  | { kind: "write"; id: number; data: HostArray; offset: number }
  | { kind: "compile"; id: number; program: Program }
  | {
      kind: "launch";
      kernel: number;
      args: { id: number; offset: number; strides: readonly number[] }[];
      launch: Pick<Launch, "shape" | "uniforms" | "label">;
    }
  | {
      kind: "read";
      id: number;
      offset: number;
      length: number;
      target: SharedArrayBuffer;
      state: SharedArrayBuffer;
      complaint: SharedArrayBuffer;
    };

interface Numbered extends Buffer {
  readonly id: number;
  owner: Worker | null;
}

const name = "webgpu";
const limits: Limits = { dtypes: dtypes.filter((dtype) => dtype !== "float64"), maxLength: 2 ** 26, maxBindings: 10 };

/**
 * WebGPU in a worker, for tests that read at once: this thread sleeps until the worker has read. Only tests may do this; a page
 * would stand still, and a program has better things to do than to wait.
 */
export function waitingWebgpu(): Backend {
  const ready = new SharedArrayBuffer(4);
  // What somebody has tuned on this machine does not count.
  const workerData = { ready, options: { tuningCache: false } };
  const worker = new Worker(new URL("./waiting-worker.ts", import.meta.url), { workerData });
  worker.unref();
  Atomics.wait(new Int32Array(ready), 0, 0);
  let next = 0;
  let open = true;
  const post = (message: Message) => worker.postMessage(message);
  const owned = (buffer: Buffer, operation: string): Numbered => {
    if (!open) throw closedError(name, operation);
    const own = buffer as Numbered;
    if (own.owner === worker) return own;
    throw own.owner === null ? freedError(operation, buffer) : foreignError(name, operation, buffer);
  };
  const readSync = (buffer: Buffer, offset = 0, length = buffer.length - offset): HostArray => {
    const { id, dtype } = owned(buffer, "read");
    checkRange("read", buffer, offset, length);
    const target = new SharedArrayBuffer(length * byteSize(dtype));
    const [state, complaint] = [new SharedArrayBuffer(4), new SharedArrayBuffer(2000)];
    post({ kind: "read", id, offset, length, target, state, complaint });
    const answer = new Int32Array(state);
    Atomics.wait(answer, 0, 0);
    const status = Atomics.load(answer, 0);
    if (status < 0) throw new Error(new TextDecoder().decode(new Uint8Array(complaint).slice(0, -status)));
    return hostView(dtype, target, 0, length).slice();
  };
  const launch = ({ kernel, args, shape, uniforms, label }: Launch): void => {
    if (!open) throw closedError(name, label);
    const own = args.map(({ buffer, offset, strides }) => ({ id: owned(buffer, label).id, offset, strides }));
    const { id } = kernel as Kernel & { id: number };
    post({ kind: "launch", kernel: id, args: own, launch: { shape, uniforms, label } });
  };
  return {
    name,
    limits,
    alloc(dtype, length): Numbered {
      if (!open) throw closedError(name, "alloc");
      checkAlloc(name, limits, dtype, length);
      const buffer = { dtype, length, id: next++, owner: worker };
      post({ kind: "alloc", id: buffer.id, dtype, length });
      return buffer;
    },
    free(buffer) {
      const own = owned(buffer, "free");
      post({ kind: "free", id: own.id });
      own.owner = null;
    },
    write(buffer, data, offset = 0) {
      const { id } = owned(buffer, "write");
      checkWrite(buffer, data, offset);
      post({ kind: "write", id, data: data.slice(), offset });
    },
    read: async (buffer, offset, length) => readSync(buffer, offset, length),
    readSync,
    compile(program): Kernel & { id: number } {
      if (!open) throw closedError(name, "compile");
      checkProgram(name, limits, program);
      const id = next++;
      post({ kind: "compile", id, program });
      return { program, id };
    },
    launch,
    submit(launches) {
      for (const one of launches) launch(one);
    },
    close() {
      open = false;
      void worker.terminate();
    },
  };
}
