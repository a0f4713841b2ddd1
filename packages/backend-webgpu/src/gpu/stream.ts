import type { DescentError } from "@descent/backend";
import type { Shader } from "../wgsl/shader.ts";
import { BindGroups } from "./bind-groups.ts";
import { mapForReading, mostGroups, parameterBytesOf, usage } from "./constants.ts";
import type { Faults } from "./faults.ts";
import type { Block, Memory } from "./memory.ts";
import { type Pipeline, Pipelines } from "./pipelines.ts";
import type { Profile } from "./profile.ts";

/** Parameters of so many small launches fit into one submit. */
const parameterBytes = 1 << 20;
/** A dispatch may bind more behind the last parameters than there are: so much, at most. */
const largestParameters = 1 << 16;
/**
 * Dispatches of a submit. What makes a dispatch (some 10 µs in Dawn) is often what it costs: handed over in pieces, the device runs
 * the first ones while the next are recorded, and a submit more is little beside so many.
 */
const mostDispatches = 64;
/** Launches of a submit, where dispatches have many each. */
const mostLaunches = 256;

/** What a stream has done since the start. */
export interface StreamCounts {
  submits: number;
  dispatches: number;
  passes: number;
  /** Writes of parameters: one for each submit that has any. */
  writes: number;
}

/**
 * Records commands in order and hands them over in one submit: on a read, or when so much is queued that the device would be idle
 * for long while it is recorded. Parameters of all launches of a submit go to one buffer, in one write.
 */
export class Stream {
  readonly device: GPUDevice;
  readonly groups: BindGroups;
  readonly pipelines: Pipelines;
  readonly counts: StreamCounts = { submits: 0, dispatches: 0, passes: 0, writes: 0 };
  /** Number of the batch that is being recorded. */
  batch = 0;
  profile: Profile | null = null;
  /** Records what waits to be dispatched together with more of its kind. */
  settle: () => void = () => {};
  readonly #memory: Memory;
  readonly #faults: Faults;
  readonly #bytes = new ArrayBuffer(parameterBytes);
  readonly words = new Uint32Array(this.#bytes);
  readonly floats = new Float32Array(this.#bytes);
  #used = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  /** What the pass has set, so that it is not set again. */
  #pipeline: GPUComputePipeline | null = null;
  #dispatches = 0;
  #launches = 0;
  #staging: GPUBuffer[] = [];
  #flushing = false;
  /** Estimated work queued, and how much of it makes a submit worth while. */
  #work = 0;
  #enough = 2 ** 36;
  #running = 0;

  constructor(device: GPUDevice, memory: Memory, faults: Faults) {
    this.device = device;
    this.#memory = memory;
    this.#faults = faults;
    this.groups = new BindGroups(device, parameterBytes + largestParameters);
    this.pipelines = new Pipelines(device, this.groups);
  }

  /** Submits that the device has not finished. */
  get running(): number {
    return this.#running;
  }

  #commands(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = null;
    if (!this.#encoder) {
      this.#faults.open();
      this.#encoder = this.device.createCommandEncoder();
    }
    return this.#encoder;
  }

  /** Takes room for the parameters of one launch, and says at which byte: fill it, then dispatch. */
  room({ words }: Shader): number {
    const bytes = parameterBytesOf(words);
    if (this.#used + bytes > parameterBytes) this.flush();
    this.#used += bytes;
    this.#launches++;
    return this.#used - bytes;
  }

  /** Records a dispatch with the parameters at byte `at`. `work` is a rough count of bytes moved. */
  dispatch(
    shader: Shader,
    pipeline: Pipeline,
    at: number,
    blocks: readonly Block[],
    groups: number,
    label: string,
    work: number,
  ): void {
    if (this.profile || !this.#pass) {
      const commands = this.#commands();
      this.#pass = this.profile ? this.profile.pass(commands, shader, label) : commands.beginComputePass();
      this.#pipeline = null;
      this.counts.passes++;
    }
    const pass = this.#pass;
    if (this.#pipeline !== pipeline.gpu) {
      this.#pipeline = pipeline.gpu;
      pass.setPipeline(pipeline.gpu);
    }
    pass.setBindGroup(0, this.groups.get(pipeline.layout, blocks), [at]);
    const across = Math.min(groups, mostGroups);
    // Every argument is a conversion: what is 1 is left out.
    if (groups <= across) pass.dispatchWorkgroups(across);
    else pass.dispatchWorkgroups(across, Math.ceil(groups / across));
    for (const block of blocks) block.batch = this.batch;
    this.counts.dispatches++;
    this.#work += work;
    this.#dispatches++;
  }

  /** Hands over what is queued if it is enough. */
  relieve(): void {
    if (this.#dispatches >= mostDispatches || this.#launches >= mostLaunches || this.#work > this.#enough) this.flush();
  }

  /** Copies words to a block: ahead of the queue where nothing queued uses it, in their turn elsewhere. */
  write(block: Block, byteOffset: number, data: ArrayBufferView<ArrayBuffer>): void {
    if (data.byteLength === 0) return;
    this.settle();
    if (block.batch !== this.batch) {
      this.#faults.open();
      this.device.queue.writeBuffer(
        block.gpu,
        block.offset + byteOffset,
        data.buffer,
        data.byteOffset,
        data.byteLength,
      );
      return;
    }
    const staging = this.device.createBuffer({
      size: data.byteLength,
      usage: usage.copySource,
      mappedAtCreation: true,
    });
    new Uint8Array(staging.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    staging.unmap();
    this.#commands().copyBufferToBuffer(staging, 0, block.gpu, block.offset + byteOffset, data.byteLength);
    this.#staging.push(staging);
  }

  /** Bytes of a block as they are after everything recorded so far. Offset and length are whole words. */
  async read(block: Block, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    this.settle();
    const staging = this.device.createBuffer({ size: byteLength, usage: usage.mapRead | usage.copyTarget });
    this.#commands().copyBufferToBuffer(block.gpu, block.offset + byteOffset, staging, 0, byteLength);
    block.batch = this.batch;
    const settled = await this.#soon();
    try {
      await staging.mapAsync(mapForReading);
    } catch (cause) {
      throw (await settled()) ?? cause;
    }
    const fault = await settled();
    const bytes = staging.getMappedRange().slice(0);
    staging.destroy();
    if (fault) throw fault;
    return bytes;
  }

  /** Submits at the end of the current turn, so that reads side by side share one submit. */
  async #soon(): Promise<() => Promise<DescentError | null>> {
    if (!this.#flushing) {
      this.#flushing = true;
      await Promise.resolve();
      this.flush();
    } else await Promise.resolve();
    return () => this.#faults.settled();
  }

  /** Hands over everything recorded so far. */
  flush(): void {
    this.#flushing = false;
    this.settle();
    if (!this.#encoder) {
      this.#faults.close(this.#memory.state.liveBytes);
      this.#memory.trim(this.batch);
      return;
    }
    this.#pass?.end();
    this.profile?.resolve(this.#encoder);
    const commands = this.#encoder.finish();
    if (this.#used > 0) {
      this.device.queue.writeBuffer(this.groups.parameters, 0, this.#bytes, 0, this.#used);
      this.counts.writes++;
    }
    this.device.queue.submit([commands]);
    this.counts.submits++;
    this.#measure(this.#work);
    for (const buffer of this.#staging) buffer.destroy();
    this.#staging = [];
    this.#pass = null;
    this.#encoder = null;
    this.#used = 0;
    this.#work = 0;
    this.#dispatches = 0;
    this.#launches = 0;
    this.batch++;
    this.#faults.close(this.#memory.state.liveBytes);
    this.#memory.trim(this.batch);
    this.profile?.collect();
  }

  /** Learns how much work the device does in a tenth of a second: more is not queued before it is handed over. */
  #measure(work: number): void {
    const alone = this.#running === 0;
    const start = performance.now();
    this.#running++;
    const done = () => {
      this.#running--;
      const elapsed = performance.now() - start;
      // Short batches say more about the latency of a submit than about the device.
      if (alone && elapsed > 20 && work > 0) this.#enough = Math.max(2 ** 28, (work / elapsed) * 100);
    };
    this.device.queue.onSubmittedWorkDone().then(done, done);
  }

  /** When everything handed over so far has run. */
  async idle(): Promise<void> {
    this.flush();
    await this.device.queue.onSubmittedWorkDone();
  }
}
