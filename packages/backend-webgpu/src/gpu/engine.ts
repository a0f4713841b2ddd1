import type { Launch, Program } from "@descent/backend";
import type { Recorder, Together } from "../kernels/recorder.ts";
import { Choices } from "../tuning/choices.ts";
import type { Frame } from "../wgsl/frame.ts";
import { type Aliases, aliasesOf, type Shader } from "../wgsl/shader.ts";
import type { Features } from "../wgsl/storage.ts";
import { groupSize } from "./constants.ts";
import { Faults } from "./faults.ts";
import { formOf } from "./forms.ts";
import { Joiner, sharedShader, wayOf } from "./joiner.ts";
import { type Block, Memory, type WebgpuBuffer } from "./memory.ts";
import { limitOf, type Opened, subgroupsOf } from "./open.ts";
import { usualPaged } from "./pages.ts";
import { Stream } from "./stream.ts";

export interface EngineOptions {
  readonly poolBytes: number;
  readonly deterministic: boolean;
  /** Workgroups that keep the device busy: with fewer, work is cut into smaller pieces. Default 128. */
  readonly enoughGroups?: number;
  /** What a tuner has found out. Default: nothing. */
  readonly choices?: Choices;
  /** Bytes of the largest block that shares a GPU buffer with others; 0: none does. Default 512 KiB. */
  readonly pagedBytes?: number;
}

const isPaged = ({ page }: Block): boolean => page !== null;

/** Everything that lives and dies with one device. */
export class Engine implements Recorder {
  readonly opened: Opened;
  readonly device: GPUDevice;
  readonly features: Features;
  readonly deterministic: boolean;
  readonly bindings: number;
  readonly enoughGroups: number;
  readonly choices: Choices;
  readonly memory: Memory;
  readonly faults: Faults;
  readonly stream: Stream;
  readonly #joiner: Joiner;
  /** While set, launches run nothing and leave here which shaders they need. */
  collecting: Set<Shader> | null = null;
  /** The last one collected of what can be joined, and how often in a row it was. */
  #collected: Shader | null = null;
  #inRow = 0;
  #scratch: Block[] = [];

  constructor(opened: Opened, options: EngineOptions) {
    const { poolBytes, deterministic, enoughGroups = 128, pagedBytes = usualPaged } = options;
    const { choices = new Choices(false) } = options;
    const { device } = opened;
    this.opened = opened;
    this.device = device;
    this.deterministic = deterministic;
    this.enoughGroups = enoughGroups;
    this.choices = choices;
    this.features = { f16: device.features.has("shader-f16"), subgroups: subgroupsOf(opened) };
    this.bindings = Math.min(64, limitOf(device.limits, "maxStorageBuffersPerShaderStage"));
    this.faults = new Faults(device);
    this.memory = new Memory(device, poolBytes, this.mostBytes, pagedBytes);
    this.memory.onCreate = (bytes) => this.faults.noteMemory(bytes);
    this.stream = new Stream(device, this.memory, this.faults);
    this.#joiner = new Joiner(this.stream, this.memory);
    this.stream.settle = () => this.#joiner.settle();
  }

  /** Bytes of the largest buffer that a shader can use whole. */
  get mostBytes(): number {
    const { limits } = this.device;
    const most = Math.min(limitOf(limits, "maxBufferSize"), limitOf(limits, "maxStorageBufferBindingSize"));
    return Math.floor(most / 16) * 16;
  }

  aliases(program: Program, { args }: Launch): Aliases | null {
    return aliasesOf(
      program,
      args.map(({ buffer }) => (buffer as WebgpuBuffer).block),
      isPaged, // see formOf: two bindings of it may have to be declared as written, which must not overlap
    );
  }

  blocks({ args }: Launch, aliases: Aliases | null): Block[] {
    const blocks: Block[] = [];
    for (let k = 0; k < args.length; k++)
      if (!aliases || aliases[k] === k) blocks.push((args[k]!.buffer as WebgpuBuffer).block);
    return blocks;
  }

  /** What is collected next is not in a row with what came before. */
  startRow(): void {
    this.#collected = null;
  }

  scratch(bytes: number): Block {
    const block = this.memory.alloc(bytes);
    this.#scratch.push(block);
    return block;
  }

  /** Gives the scratch of a launch back: commands run in order, so whoever gets it next comes after. */
  release(): void {
    for (const block of this.#scratch) this.memory.free(block, this.stream.batch);
    this.#scratch = [];
  }

  run(
    plain: Shader,
    frame: Frame,
    launch: Launch,
    blocks: readonly Block[],
    groups: number,
    extras: readonly number[],
    work = groups * groupSize * 16,
  ): void {
    const shader = formOf(plain, blocks);
    if (this.collecting) {
      this.collecting.add(shader);
      this.startRow();
      return;
    }
    const { stream } = this;
    this.#joiner.settle();
    const pipeline = stream.pipelines.get(shader);
    const at = stream.room(shader);
    frame.fill(stream.words, stream.floats, at >> 2, launch, extras);
    stream.dispatch(shader, pipeline, at, blocks, groups, launch.label, work);
    stream.relieve();
  }

  join(
    one: Shader,
    together: Together,
    frame: Frame,
    launch: Launch,
    blocks: readonly Block[],
    groups: number,
    extras: readonly number[],
  ): void {
    const { stream } = this;
    const way = wayOf(together, blocks);
    if (this.collecting) {
      // Too few in a row will not need the other form.
      this.#inRow = this.#collected === one ? this.#inRow + 1 : 1;
      this.#collected = one;
      const shared = way && sharedShader(way, one, blocks, this.#inRow);
      if (shared) this.collecting.add(shared);
      this.collecting.add(formOf(one, blocks));
      return;
    }
    if (!way || stream.profile) {
      this.run(one, frame, launch, blocks, groups, extras);
      return;
    }
    if (!this.#joiner.fits(one, way, blocks)) this.#joiner.settle();
    const at = stream.room(one);
    frame.fill(stream.words, stream.floats, at >> 2, launch, extras);
    this.#joiner.push(one, way, { blocks, groups, label: launch.label, at });
    stream.relieve();
  }
}
