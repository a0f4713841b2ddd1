import { Cache } from "@descent/backend";
import { computeStage, usage } from "./constants.ts";
import type { Block } from "./memory.ts";

/** What a shader is given: memory, one letter each (`r` read, `w` written), then its parameters. */
export interface Layout {
  readonly id: number;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
  /** Bytes of parameters, in whole steps. */
  readonly parameterBytes: number;
}

/** A group that was made. `next`: the one that was asked for after it last time. */
interface Made {
  readonly layout: Layout;
  readonly blocks: readonly Block[];
  readonly gpu: GPUBindGroup;
  next: Made | null;
}

/** Making a group costs several times what using it does: so many are kept, beside those that were used one after another. */
const capacity = 8192;

/**
 * Bind groups of one device. Memory and parameters share one, since every call costs Dawn a microsecond; where the parameters lie is given with
 * every dispatch. A training step asks for the same groups in the same order again and again: the next one is guessed and compared,
 * and only where the guess was wrong it is looked up.
 */
export class BindGroups {
  readonly parameters: GPUBuffer;
  /** Groups made since the start. */
  made = 0;
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, Layout>();
  readonly #groups = new Cache<string, Made>(capacity);
  #last: Made | null = null;

  constructor(device: GPUDevice, parameterBytes: number) {
    this.#device = device;
    this.parameters = device.createBuffer({ size: parameterBytes, usage: usage.uniform | usage.copyTarget });
  }

  layout(slots: string, parameterBytes: number): Layout {
    const key = `${slots},${parameterBytes}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      const memory = [...slots].map(
        (slot): GPUBufferBindingLayout => ({ type: slot === "r" ? "read-only-storage" : "storage" }),
      );
      const buffers: GPUBufferBindingLayout[] = [...memory, { type: "uniform", hasDynamicOffset: true }];
      const entries = buffers.map((buffer, binding) => ({ binding, visibility: computeStage, buffer }));
      const group = this.#device.createBindGroupLayout({ entries });
      const pipeline = this.#device.createPipelineLayout({ bindGroupLayouts: [group] });
      layout = { id: this.#layouts.size, group, pipeline, parameterBytes };
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** The group that binds `blocks` to the slots of a layout. */
  get(layout: Layout, blocks: readonly Block[]): GPUBindGroup {
    const last = this.#last;
    let found = last?.next ?? null;
    if (!found || found.layout !== layout || !same(found.blocks, blocks)) {
      let key = `${layout.id}`;
      for (const { id } of blocks) key += `,${id}`;
      found = this.#groups.get(key, () => this.#make(layout, blocks));
      if (last) last.next = found;
    }
    this.#last = found;
    return found.gpu;
  }

  #make(layout: Layout, blocks: readonly Block[]): Made {
    const resources: GPUBufferBinding[] = blocks.map(({ gpu, offset, bytes }) => ({
      buffer: gpu,
      offset,
      size: bytes,
    }));
    resources.push({ buffer: this.parameters, size: layout.parameterBytes });
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    this.made++;
    return { layout, blocks, gpu: this.#device.createBindGroup({ layout: layout.group, entries }), next: null };
  }
}

/** Lists of blocks for one layout have one length. */
function same(a: readonly Block[], b: readonly Block[]): boolean {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
