import { DescentError } from "@descent/backend";
import type { Shader } from "../wgsl/shader.ts";
import { mapForReading, usage } from "./constants.ts";

/** One dispatch, in microseconds since the first of its profile. */
export interface ProfileEvent {
  readonly name: string;
  readonly kernel: string;
  readonly start: number;
  readonly duration: number;
}

/** What the device did during a profile. */
export interface ProfileResult {
  readonly events: readonly ProfileEvent[];
  /** The events as a Chrome trace (chrome://tracing, Perfetto), as JSON. */
  readonly chromeTrace: () => string;
}

/** Most dispatches that one batch of queries times. */
const capacity = 2048;

interface Names {
  readonly name: string;
  readonly kernel: string;
}

/** Times every dispatch with timestamp queries: each gets a pass of its own, so a profile is slower than what it profiles. */
export class Profile {
  readonly #device: GPUDevice;
  #queries: GPUQuerySet | null = null;
  #names: Names[] = [];
  #resolved: { buffer: GPUBuffer; names: Names[] } | null = null;
  readonly #found: Promise<{ names: Names[]; times: BigUint64Array }>[] = [];
  /** Dispatches that came after the queries of their batch were used up. */
  dropped = 0;

  constructor(device: GPUDevice, adapter: string) {
    if (!device.features.has("timestamp-query"))
      throw new DescentError(
        "unsupported",
        "profile",
        "the device has no timestamp queries",
        { adapter },
        "In Chromium they need a secure context; see also the option `features` of webgpu().",
      );
    this.#device = device;
  }

  pass(encoder: GPUCommandEncoder, { label: kernel }: Shader, name: string): GPUComputePassEncoder {
    this.#queries ??= this.#device.createQuerySet({ type: "timestamp", count: 2 * capacity });
    if (this.#names.length === capacity) {
      this.dropped++;
      return encoder.beginComputePass();
    }
    const index = 2 * (this.#names.push({ name, kernel }) - 1);
    return encoder.beginComputePass({
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: index,
        endOfPassWriteIndex: index + 1,
      },
    });
  }

  /** Copies the times of the batch, as its last commands. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.#names.length === 0) return;
    const size = this.#names.length * 16;
    const resolved = this.#device.createBuffer({ size, usage: usage.queryResolve | usage.copySource });
    const buffer = this.#device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
    encoder.resolveQuerySet(this.#queries as GPUQuerySet, 0, this.#names.length * 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, buffer, 0, size);
    this.#resolved = { buffer, names: this.#names };
    this.#names = [];
  }

  /** Asks for the times of the batch just submitted. */
  collect(): void {
    const resolved = this.#resolved;
    if (!resolved) return;
    this.#resolved = null;
    this.#found.push(
      resolved.buffer.mapAsync(mapForReading).then(() => {
        const times = new BigUint64Array(resolved.buffer.getMappedRange().slice(0));
        resolved.buffer.destroy();
        return { names: resolved.names, times };
      }),
    );
  }

  async result(): Promise<ProfileResult> {
    const batches = await Promise.all(this.#found);
    this.#queries?.destroy();
    const first = batches[0]?.times[0] ?? 0n;
    const microseconds = (time: bigint) => Number(time - first) / 1000;
    const events = batches.flatMap(({ names, times }) =>
      names.map((one, k): ProfileEvent => {
        const [start, end] = [times[2 * k] as bigint, times[2 * k + 1] as bigint];
        return { ...one, start: microseconds(start), duration: Number(end - start) / 1000 };
      }),
    );
    return { events, chromeTrace: () => chromeTrace(events) };
  }
}

const chromeTrace = (events: readonly ProfileEvent[]): string =>
  JSON.stringify({
    displayTimeUnit: "ms",
    traceEvents: events.map(({ name, kernel, start, duration }) => ({
      ...{ name, cat: kernel, ph: "X", ts: start, dur: duration, pid: 1, tid: 1 },
    })),
  });
