import { Cache } from "@descent/backend";
import type { Shader } from "../wgsl/shader.ts";
import type { BindGroups, Layout } from "./bind-groups.ts";
import { parameterBytesOf } from "./constants.ts";

/** What a shader needs on one device. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: Layout;
}

/** The pipelines of one device. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #groups: BindGroups;
  readonly #pipelines = new WeakMap<Shader, Pipeline>();
  /** Pipelines by code: programs that differ only in what they are called share one. */
  readonly #byCode = new Cache<string, Pipeline>(2000);
  /** Pipelines made since the start. */
  compiled = 0;

  constructor(device: GPUDevice, groups: BindGroups) {
    this.#device = device;
    this.#groups = groups;
  }

  #describe({ code, slots, words, label }: Shader): [GPUComputePipelineDescriptor, Layout] {
    const layout = this.#groups.layout(slots, parameterBytesOf(words));
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
        return { gpu: this.#device.createComputePipeline(descriptor), layout };
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
        this.#pipelines.set(
          shader,
          this.#byCode.get(shader.code, () => ({ gpu, layout })),
        );
      }),
    );
  }
}
