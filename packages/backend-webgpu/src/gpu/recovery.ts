import { DescentError, type Launch } from "@descent/backend";
import type { Engine } from "./engine.ts";
import type { WebgpuBuffer } from "./memory.ts";
import type { RecoverOptions } from "./open.ts";

/** Milliseconds between two shadows, unless the user says otherwise. */
const usualInterval = 30_000;

/**
 * Keeps on the host what lasts on the device: everything that was there at the last shadow already, so parameters, optimizer state
 * and running statistics, but not what one step computes; and whatever the host wrote. One device's loss then costs the training
 * since the last shadow, and no more.
 */
export class Recovery {
  readonly #interval: number;
  readonly #onRecover: RecoverOptions["onRecover"];
  readonly #live: ReadonlySet<WebgpuBuffer>;
  /** Buffers that were there when the last shadow was taken. */
  #old = new WeakSet<WebgpuBuffer>();
  #taken = performance.now();
  #writing = Promise.resolve();

  constructor({ interval = usualInterval, onRecover }: RecoverOptions, live: ReadonlySet<WebgpuBuffer>) {
    this.#interval = interval;
    this.#onRecover = onRecover;
    this.#live = live;
  }

  /** A buffer that was written as a whole is its own shadow. */
  wrote(buffer: WebgpuBuffer, data: ArrayBufferView, whole: boolean): void {
    buffer.version++;
    if (!whole) return;
    const { buffer: bytes, byteOffset, byteLength } = data;
    buffer.shadow = bytes.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    buffer.shadowed = buffer.version;
  }

  launched({ kernel, args }: Launch): void {
    const { bindings } = kernel.program;
    for (let k = 0; k < args.length; k++) if (bindings[k]!.mode !== "read") (args[k]!.buffer as WebgpuBuffer).version++;
  }

  /** Takes a shadow when it is time, after everything recorded so far. */
  take(engine: Engine): void {
    const now = performance.now();
    if (now - this.#taken < this.#interval) return;
    this.#taken = now;
    const arriving: Promise<void>[] = [];
    for (const buffer of this.#live) {
      if (!this.#old.has(buffer)) this.#old.add(buffer);
      else if (buffer.shadowed !== buffer.version && buffer.length > 0) {
        const { version, block } = buffer;
        const save = (bytes: ArrayBuffer) => {
          buffer.shadow = bytes;
          buffer.shadowed = version;
        };
        // All of them or none: a shadow is of one moment.
        arriving.push(engine.stream.read(block, 0, block.bytes).then(save));
      }
    }
    this.#writing = Promise.all(arriving).then(
      () => {},
      () => {}, // lost meanwhile: the shadow before serves
    );
  }

  /** Makes everything that lives anew on another device, and tells what happened. */
  async restore(to: Engine, info: GPUDeviceLostInfo): Promise<DescentError> {
    await this.#writing;
    for (const buffer of this.#live) {
      buffer.block = to.memory.alloc(buffer.block.bytes);
      if (buffer.shadow) to.stream.write(buffer.block, 0, new Uint8Array(buffer.shadow));
    }
    const lostMilliseconds = Math.round(performance.now() - this.#taken);
    this.#onRecover?.({ reason: info.reason, message: info.message, lostMilliseconds });
    return new DescentError(
      "device",
      "webgpu",
      "the GPU device was lost and replaced; what lasts is as the last shadow has it",
      { reason: info.reason, message: info.message, "milliseconds lost": lostMilliseconds },
      "Repeat the step: training goes on from there.",
    );
  }
}
