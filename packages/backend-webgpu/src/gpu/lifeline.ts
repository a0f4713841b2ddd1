import { DescentError } from "@descent/backend";
import { Engine, type EngineOptions } from "./engine.ts";
import type { Opened } from "./open.ts";
import type { Recovery } from "./recovery.ts";

/** The engine at hand, and what becomes of it when its device is lost. */
export class Lifeline {
  engine: Engine;
  /** Why there is no device. */
  lost: DescentError | null = null;
  /** Set once the device is no longer wanted. */
  closed = false;
  readonly #options: EngineOptions;
  readonly #recovery: Recovery | null;
  #recovering: Promise<void> | null = null;
  /** What the next read has to tell. */
  #notice: DescentError | null = null;

  constructor(opened: Opened, options: EngineOptions, recovery: Recovery | null) {
    this.#options = options;
    this.#recovery = recovery;
    this.engine = new Engine(opened, options);
    this.#watch();
  }

  /** Whether what is recorded now would go to a device that nobody knows of yet. */
  get untold(): boolean {
    return this.#notice !== null;
  }

  /** What happened to the device, told once; waits for a new one that is on its way. `failure`: why a read failed. */
  async verdict(engine: Engine, failure: unknown): Promise<DescentError | null> {
    // A read fails a moment before its device is told to be lost.
    if (failure && !(failure instanceof DescentError)) await Promise.race([engine.device.lost, pause(100)]);
    await this.#recovering;
    const notice = this.#notice ?? this.lost;
    this.#notice = null;
    return notice;
  }

  #watch(): void {
    const { engine } = this;
    engine.device.lost.then((info) => {
      if (this.closed) return;
      const recovery = this.#recovery;
      if (recovery) this.#recovering = this.#replace(info, recovery);
      else this.lost = lostError(info, "Open another one, or use webgpu({ recover: true }) to go on from a shadow.");
    });
  }

  /** What is launched until a read has told of the new device goes nowhere, so that repeating the step is right. */
  async #replace(info: GPUDeviceLostInfo, recovery: Recovery): Promise<void> {
    const { engine } = this;
    try {
      const next = new Engine(await engine.opened.again!(), this.#options);
      const { f16, subgroups } = engine.features;
      if (next.features.f16 !== f16 || next.features.subgroups !== subgroups)
        throw new Error("the new device has other features");
      this.#notice = await recovery.restore(next, info);
      this.engine = next;
      this.#watch();
    } catch (cause) {
      this.lost = lostError(info, "No other device could be opened.", cause);
    }
    this.#recovering = null;
  }
}

const lostError = ({ reason, message }: GPUDeviceLostInfo, hint: string, cause?: unknown): DescentError =>
  new DescentError("device", "webgpu", "the GPU device was lost", { reason, message }, hint, { cause });

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
