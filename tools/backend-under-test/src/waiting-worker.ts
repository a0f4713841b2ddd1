import { parentPort, workerData } from "node:worker_threads";
import type { Buffer, Kernel, Launch } from "@descent/backend";
import { webgpu } from "@descent/backend-webgpu";
import type { Message } from "./waiting.ts";

/** Where a backend that cannot wait runs for one that does: messages come in order, and a read answers in shared memory. */
const backend = await webgpu(workerData.options);
const buffers = new Map<number, Buffer>();
const kernels = new Map<number, Kernel>();
let failed: Error | null = null;

/**
 * Dawn looks for what is done in every turn of the event loop, and so does the software driver in threads of its own: on a machine with
 * few cores, one waits for the other until the system takes its turn away, after milliseconds. A pause in every turn lets the driver work.
 */
const pause = new Int32Array(new SharedArrayBuffer(4));
let reading = false;
let pausing = false;
const makeRoom = (): void => {
  pausing = reading;
  if (!reading) return;
  Atomics.wait(pause, 0, 0, 0.05);
  setImmediate(makeRoom);
};

const reply = (state: Int32Array, status: number): void => {
  Atomics.store(state, 0, status);
  Atomics.notify(state, 0);
};

async function handle(message: Message): Promise<void> {
  switch (message.kind) {
    case "alloc":
      buffers.set(message.id, backend.alloc(message.dtype, message.length));
      return;
    case "free":
      backend.free(buffers.get(message.id) as Buffer);
      buffers.delete(message.id);
      return;
    case "write":
      backend.write(buffers.get(message.id) as Buffer, message.data, message.offset);
      return;
    case "compile":
      kernels.set(message.id, backend.compile(message.program));
      return;
    case "launch": {
      const args = message.args.map(({ id, offset, strides }) => ({
        buffer: buffers.get(id) as Buffer,
        offset,
        strides,
      }));
      const launch: Launch = { ...message.launch, kernel: kernels.get(message.kernel) as Kernel, args };
      backend.launch(launch);
      return;
    }
    case "read": {
      reading = true;
      if (!pausing) makeRoom();
      const found = await backend
        .read(buffers.get(message.id) as Buffer, message.offset, message.length)
        .finally(() => {
          reading = false;
        });
      new Uint8Array(message.target).set(new Uint8Array(found.buffer, found.byteOffset, found.byteLength));
    }
  }
}

let queue: Promise<void> = Promise.resolve();
parentPort?.on("message", (message: Message) => {
  queue = queue.then(async () => {
    try {
      await handle(message);
    } catch (error) {
      failed ??= error as Error;
    }
    if (message.kind !== "read") return;
    if (failed) {
      const text = new TextEncoder().encode(failed.message).slice(0, message.complaint.byteLength);
      new Uint8Array(message.complaint).set(text);
      failed = null;
      reply(new Int32Array(message.state), -text.length);
    } else reply(new Int32Array(message.state), 1);
  });
});
reply(new Int32Array(workerData.ready), 1);
