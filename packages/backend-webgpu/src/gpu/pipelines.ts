import { Cache } from "@descent/backend";
import type { Shader } from "../wgsl/shader.ts";
import { computeStage, parameterBytesOf, usage } from "./constants.ts";
import type { Block } from "./memory.ts";

/** What a shader needs on one device. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: Layout;
  /** Bytes of parameters, in whole steps. */
  readonly parameterBytes: number;
}

interface Layout {
  readonly id: number;
  readonly storage: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** Pipelines and bind groups of one device, both bounded. */
export class Pipelines {
  readonly parameters: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #parameterLayout: GPUBindGroupLayout;
  readonly #parameterGroups = new Map<number, GPUBindGroup>();
  readonly #layouts = new Map<string, Layout>();
  readonly #pipelines = new WeakMap<Shader, Pipeline>();
  readonly #groups = new Cache<string, GPUBindGroup>(8192);
  /** Pipelines by code: programs that differ only in what they are called share one. */
  readonly #byCode = new Cache<string, Pipeline>(2000);
  /** Pipelines made since the start. */
  compiled = 0;

  constructor(device: GPUDevice, parameterBytes: number) {
    this.#device = device;
    this.parameters = device.createBuffer({ size: parameterBytes, usage: usage.uniform | usage.copyTarget });
    this.#parameterLayout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: computeStage, buffer: { type: "uniform", hasDynamicOffset: true } }],
    });
  }

  #layout(slots: string): Layout {
    let layout = this.#layouts.get(slots);
    if (!layout) {
      const entries = [...slots].map((slot, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: slot === "r" ? ("read-only-storage" as const) : ("storage" as const) },
      }));
      const storage = this.#device.createBindGroupLayout({ entries });
      const bindGroupLayouts = [storage, this.#parameterLayout];
      layout = { id: this.#layouts.size, storage, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts }) };
      this.#layouts.set(slots, layout);
    }
    return layout;
  }

  #describe({ code, slots, label }: Shader): [GPUComputePipelineDescriptor, Layout] {
    const layout = this.#layout(slots);
    const module = this.#device.createShaderModule({ code, label });
    return [{ layout: layout.pipeline, compute: { module, entryPoint: "main" }, label }, layout];
  }

  /** Whether the pipeline of a shader exists. */
  has(shader: Shader): boolean {
    return this.#pipelines.has(shader);
  }

  /** The pipeline of a shader, made at once. */
  get(shader: Shader): Pipeline {
    let pipeline = this.#pipelines.get(shader);
    if (!pipeline) {
      pipeline = this.#byCode.get(shader.code, () => {
        const [descriptor, layout] = this.#describe(shader);
        this.compiled++;
        const gpu = this.#device.createComputePipeline(descriptor);
        return { gpu, layout, parameterBytes: parameterBytesOf(shader.words) };
      });
      this.#pipelines.set(shader, pipeline);
    }
    return pipeline;
  }

  /** Makes pipelines side by side, without holding up the page. */
  async prepare(shaders: Iterable<Shader>): Promise<void> {
    const missing = new Map([...shaders].filter((one) => !this.has(one)).map((one) => [one.code, one]));
    await Promise.all(
      [...missing.values()].map(async (shader) => {
        const [descriptor, layout] = this.#describe(shader);
        const gpu = await this.#device.createComputePipelineAsync(descriptor);
        this.compiled++;
        const made = { gpu, layout, parameterBytes: parameterBytesOf(shader.words) };
        this.#pipelines.set(
          shader,
          this.#byCode.get(shader.code, () => made),
        );
      }),
    );
  }

  /** The group that binds `blocks` to the slots of a layout. */
  group({ id, storage }: Layout, blocks: readonly Block[]): GPUBindGroup {
    let key = `${id}`;
    for (const block of blocks) key += `,${block.id}`;
    return this.#groups.get(key, () =>
      this.#device.createBindGroup({
        layout: storage,
        entries: blocks.map(({ gpu }, binding) => ({ binding, resource: { buffer: gpu } })),
      }),
    );
  }

  /** The group that binds parameters of `bytes` bytes; where they begin is given with every dispatch. */
  parameterGroup(bytes: number): GPUBindGroup {
    let group = this.#parameterGroups.get(bytes);
    if (!group) {
      group = this.#device.createBindGroup({
        layout: this.#parameterLayout,
        entries: [{ binding: 0, resource: { buffer: this.parameters, size: bytes } }],
      });
      this.#parameterGroups.set(bytes, group);
    }
    return group;
  }
}
